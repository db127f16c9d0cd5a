"""A dashboard in a browser: opened as a person does, and what is on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "OBSGEN_TEST_CHROMIUM"
"""Environment variable with the path of the browser; that on PATH when left out."""
PATIENCE = 60_000
"""Milliseconds for a dashboard to have drawn all its panels."""
QUIET = 1_500
"""Milliseconds without a request after which a dashboard is taken for drawn."""
# Panels are drawn when they come into view: so all of the page has to be in view.
_HEIGHT = "() => Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight))"
_PANELS = """() => [...document.querySelectorAll('section[data-testid^="data-testid Panel header"]')].map(panel => {
  const title = panel.querySelector('h2');
  const cut = e => e && e.scrollWidth > e.clientWidth;
  const box = panel.getBoundingClientRect();
  return {
    title: title ? title.innerText : '',
    cut: Boolean(cut(title)),
    error: Boolean(panel.querySelector('[data-testid="data-testid Panel status error"]')),
    empty: Boolean(panel.querySelector('[data-testid="data-testid Panel data error message"]')),
    text: panel.innerText,
    height: box.height,
  };
})"""


@dataclass(frozen=True)
class Shown:
    """A panel as a browser shows it."""

    title: str
    cut: bool
    error: bool
    empty: bool
    text: str
    height: float


@dataclass
class Visit:
    """A look at a dashboard: its panels, and what the browser's console complained of."""

    panels: list[Shown] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser without a window."""
    path = os.environ.get(CHROMIUM) or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def visit(
    browser: Browser,
    url: str,
    headers: dict[str, str],
    *,
    width: int,
    theme: str = "dark",
    keep: Path | None = None,
    top: int = 0,
    alone: bool = False,
) -> Visit:
    """Open a dashboard, unfold its rows, wait until all panels are drawn, and return what is to be seen.

    Args:
        browser: the browser.
        url: of the dashboard.
        headers: what says who asks.
        width: of the window, in pixels.
        theme: `dark` or `light`.
        keep: where to keep a screenshot.
        top: how many pixels of its height the screenshot has, its rows left as they are; all when 0.
        alone: whether Grafana shows the dashboard without its menu.
    """
    context = browser.new_context(viewport={"width": width, "height": 900}, extra_http_headers=headers)
    page = context.new_page()
    seen = Visit()
    page.on("console", lambda message: seen.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    joiner = "&" if "?" in url else "?"
    page.goto(f"{url}{joiner}theme={theme}{'&kiosk' if alone else ''}", timeout=PATIENCE)
    page.wait_for_selector('[data-testid^="data-testid Panel header"]', timeout=PATIENCE)
    page.set_viewport_size({"width": width, "height": int(page.evaluate(_HEIGHT)) + 50})
    _settle(page)
    folded = page.get_by_role("button", name="Expand row")
    while not top and folded.count():
        folded.first.click()
    page.set_viewport_size({"width": width, "height": int(page.evaluate(_HEIGHT)) + 20})
    _settle(page)
    seen.panels = [Shown(**each) for each in page.evaluate(_PANELS)]
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=keep, clip={"x": 0, "y": 0, "width": width, "height": top} if top else None)
    context.close()
    return seen


def _settle(page: Page) -> None:
    """Wait until nothing is loaded any more."""
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    page.wait_for_timeout(QUIET)
    page.wait_for_function(
        '() => !document.querySelector(\'[aria-label="Panel loading bar"], [data-testid="Spinner"]\')', timeout=PATIENCE
    )
