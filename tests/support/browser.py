"""Chromium, driven by Playwright: the system's own, never a downloaded one."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

NO_BROWSER = (
    "No Chromium: set CHROMIUM_PATH or install it (apt install chromium-headless-shell). Browser tests did NOT run."
)
# The first is Chromium without the windows around its pages: the same tests take two thirds of the processor's time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def find_chromium() -> str | None:
    """The browser to use: CHROMIUM_PATH, else one on the PATH, else Debian's."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        return chosen if Path(chosen).exists() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or ("/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None)


@dataclass
class Console:
    """What pages have written to their consoles, errors of scripts and failed requests included."""

    lines: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Record everything this page says."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.lines.append(f"page error: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.lines.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of one module. Without one they are skipped loudly; with CI=true that is a failure.

    Not for the whole session: Playwright's event loop holds this thread, and asynchronous tests need it too.
    """
    path = find_chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    # Playwright's loop runs in this thread; Django would refuse database calls beside it.
    with mock.patch.dict(os.environ, {"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def console() -> Console:
    """The consoles of the test's pages; a test ends with `assert console.lines == []`."""
    return Console()


@pytest.fixture
def browser_context(browser: Browser, console: Console) -> Iterator[BrowserContext]:
    """A person's browser: no cookies, 1440 px wide, English. Its pages report to `console`."""
    context = browser.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="Europe/Berlin")
    context.set_default_timeout(10_000)
    context.on("page", console.watch)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """One page of that browser."""
    return browser_context.new_page()
