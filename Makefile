# Every target makes the virtual environment that it needs.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help generate check prove lint format test golden bench bench-budgets bench-grafana world screenshots clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

generate: .venv/obsgen ## write generated/ from definitions/
	@$(BIN)/obsgen generate

check: .venv/obsgen ## show whether generated/ is current
	@$(BIN)/obsgen generate --check

prove: .venv/obsgen ## prove all rules on a real Prometheus
	@$(BIN)/obsgen prove

lint: .venv/dev ## check style, types and layers
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >.venv/layers.log || { cat .venv/layers.log; exit 1; }

format: .venv/dev ## format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

test: .venv/dev ## run the tests; those with a real Prometheus where one is on PATH
	@$(BIN)/pytest -n auto

golden: .venv/dev ## rewrite the golden files, then run the tests on them
	@$(BIN)/pytest tests/test_golden.py --update-golden
	@$(BIN)/pytest tests/test_golden.py

bench: .venv/dev ## measure time and memory on catalogs of 10, 100 and 1,000 services
	@$(BIN)/python -m tests.bench.generate

bench-budgets: .venv/dev ## measure error budgets against what happened, and against Sloth and Pyrra
	@$(BIN)/python -m tests.bench.budgets $(ARGS)

bench-grafana: .venv/dev ## measure plan and sync of 500 dashboards, and count their requests
	@$(BIN)/python -m tests.bench.grafana

world: .venv/dev ## run a made-up VectoBeat with a history and incidents, to look at dashboards with
	@$(BIN)/python -m tests.world $(ARGS)

screenshots: .venv/dev ## take the pictures of the README, in the Grafana at GRAFANA_URL
	@$(BIN)/python -m tests.browser.screenshots

clean: ## remove the virtual environment and all caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

.venv/obsgen: pyproject.toml
	@test -n "$(PYTHON)" || { echo "obsgen needs Python 3.11 or later; found none on PATH" >&2; exit 2; }
	@echo "making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/obsgen
	@echo "adding the tools for tests and lint to .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
