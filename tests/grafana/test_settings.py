"""Settings: where Grafana is and who asks, and what is said when that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsgen.grafana.settings import Environment, Secret, SettingsError, environment
from obsgen.secrets import redacted

URL = "https://grafana.example.org"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


def read(file: Path, text: str = "", name: str | None = None, **shell: str) -> Environment:
    file.write_text(text)
    return environment(name, {"GRAFANA_TOKEN": "glsa_x", **shell}, URL, file)


def refused(file: Path, text: str = "", name: str | None = None, **shell: str) -> str:
    with pytest.raises(SettingsError) as error:
        read(file, text, name, **shell)
    return str(error.value).replace(str(file), "pyproject.toml")


def test_the_catalogs_address_and_a_token_are_enough(tmp_path: Path) -> None:
    made = environment(None, {"GRAFANA_TOKEN": "glsa_x"}, URL + "/", tmp_path / "pyproject.toml")
    assert (made.name, made.url) == ("default", URL)
    assert made.headers() == {"Authorization": "Bearer glsa_x"}


def test_all_settings_of_an_environment(file: Path) -> None:
    ca = file.parent / "ca.pem"
    ca.write_text("x")
    made = read(
        file,
        f"""
        [tool.obsgen.grafana.production]
        url = "https://example.org/grafana/"
        folder = "Bots"
        folder_uid = "bots"
        docs = false
        datasource = "prom"
        prefix = "prod"
        org_id = 3
        ca_cert = "{ca}"
        connections = 4
        token_env = "PROD_TOKEN"
        headers_env = {{ "X-Access" = "ACCESS" }}
        [tool.obsgen.grafana.staging]
        """,
        "production",
        PROD_TOKEN="glsa_prod",
        ACCESS="sesame",
    )
    assert made.url == "https://example.org/grafana"
    assert (made.folder, made.folder_uid, made.docs, made.datasource) == ("Bots", "bots", False, "prom")
    assert (made.prefix, made.ca_cert, made.connections) == ("prod", str(ca), 4)
    assert made.headers() == {
        "Authorization": "Bearer glsa_prod",
        "X-Access": "sesame",
        "X-Grafana-Org-Id": "3",
    }
    assert "sesame" not in repr(made)
    assert "glsa_prod" not in repr(made)
    assert redacted("got glsa_prod and sesame") == "got *** and ***"


def test_user_and_password(file: Path) -> None:
    made = read(file, GRAFANA_TOKEN="", GRAFANA_USER="ann", GRAFANA_PASSWORD="open sesame")
    assert made.headers()["Authorization"] == "Basic YW5uOm9wZW4gc2VzYW1l"
    assert redacted("open sesame YW5uOm9wZW4gc2VzYW1l") == "*** ***"


def test_a_file_with_the_token(file: Path) -> None:
    token = file.parent / "token"
    token.write_text("glsa_file\n")
    assert read(file, GRAFANA_TOKEN="", GRAFANA_TOKEN_FILE=str(token)).token
    assert "cannot read GRAFANA_TOKEN_FILE" in refused(file, GRAFANA_TOKEN="", GRAFANA_TOKEN_FILE="/nope")


TWO = "[tool.obsgen.grafana.production]\nurl = 'https://p.example.org'\n[tool.obsgen.grafana.staging]\n"
ONE = "[tool.obsgen.grafana.production]\n"
BAD: dict[str, tuple[str, str | None, dict[str, str], str]] = {
    "no token": (
        "",
        None,
        {"GRAFANA_TOKEN": ""},
        f"there is no token for Grafana (default: {URL})\n    set GRAFANA_TOKEN",
    ),
    "which one": (TWO, None, {}, "has the environments production, staging\n    name one with --env"),
    "twice the same": (
        "[tool.obsgen.grafana.production]\nfolder = 'P'\n[tool.obsgen.grafana.staging]\nfolder = 'S'\n",
        "staging",
        {},
        "the environments staging and production are the same Grafana\n    give one of them a prefix",
    ),
    "misspelt": (TWO, "stagin", {}, "there is no environment 'stagin'\n    did you mean 'staging'?"),
    "none": ("", "x", {}, "there is no environment 'x'\n    add a table [tool.obsgen.grafana.x] to pyproject.toml"),
    "contradiction": (
        TWO,
        "production",
        {"GRAFANA_URL": "https://u:secret@s.example.org"},
        "says url = 'https://p.example.org', and GRAFANA_URL says 'https://***@s.example.org'\n    unset GRAFANA_URL",
    ),
    "misspelt setting": (ONE + "foldr = 'x'", None, {}, "there is no setting 'foldr'\n    did you mean 'folder'?"),
    "secret in a file": (ONE + "token = 'x'", None, {}, "secrets come from the shell"),
    "wrong type": (ONE + "folder = 3", None, {}, "[tool.obsgen.grafana.production]: folder is 3\n    write a text"),
    "true as a number": (ONE + "org_id = true", None, {}, "org_id is True\n    write a whole number"),
    "organisation": ("", None, {"GRAFANA_ORG_ID": "main"}, "org_id is 'main'\n    write a whole number above 0"),
    "no address": ("", None, {"GRAFANA_URL": "grafana.example.org"}, "'grafana.example.org' is not the address"),
    "password in the address": (
        "",
        None,
        {"GRAFANA_URL": "https://u:secret@example.org"},
        "'https://***@example.org' has a password in it\n    use GRAFANA_USER and GRAFANA_PASSWORD",
    ),
    "prefix": (ONE + "prefix = 'a b'", None, {}, "prefix is 'a b'\n    it may have letters, digits, - and _"),
    "no such file": ("", None, {"GRAFANA_CA_CERT": "/nope"}, "ca_cert is '/nope', and there is no such file"),
    "header": (ONE + "headers_env = {X = 'NOT_SET'}", None, {}, "the header X is in $NOT_SET, and that is not set"),
    "not a table": ("[tool.obsgen]\ngrafana = 3", None, {}, "tool.obsgen.grafana is no table"),
    "table forgotten": ("[tool.obsgen.grafana]\nurl = 'x'", None, {}, "'url' stands in [tool.obsgen.grafana]"),
    "not TOML": ("[", None, {}, "cannot read pyproject.toml"),
    "token with a line break": ("", None, {"GRAFANA_TOKEN": "a\nb"}, "has characters that no token has"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_told(file: Path, case: str) -> None:
    text, name, shell, expected = BAD[case]
    said = refused(file, text, name, **shell)
    assert expected in said
    assert "secret@" not in said


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("sesame")
    assert "sesame" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "sesame"
