"""Debian's Chromium for all tests, and what no page may do in it: fail, break its policy, call another origin."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from conftest import ROOT, tool

PATIENCE_MS = 90_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPORT_REFUSALS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy ${event.effectiveDirective} refused ${event.blockedURI}`));
"""

AXE = ROOT / "clients/web/node_modules/axe-core/axe.min.js"
RUN_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  const told = ({target, failureSummary}) => `${target} ${failureSummary}`;
  return found.violations.map(({id, nodes}) => `${id}: ${nodes.map(told)}`);
}"""


def violations(page):
    """Return the rules of accessibility that a page violates as it is now, each with where it does."""
    page.evaluate(AXE.read_text("utf-8"))
    return page.evaluate(RUN_AXE)


@dataclass
class Watch:
    """Notes the troubles of one browser context and the responses that came in."""

    origin: str
    troubles: list[str] = field(default_factory=list)
    responses: list = field(default_factory=list)

    def follow(self, context):
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.troubles.append(f"uncaught: {error.error}"))
        context.on("dialog", self._on_dialog)
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def expect_trouble(self, words):
        """Take out the troubles that a test has caused on purpose; there has to be one."""
        caused = [trouble for trouble in self.troubles if words in trouble]
        assert caused, f"no trouble tells {words!r}: {self.troubles}"
        self.troubles = [trouble for trouble in self.troubles if trouble not in caused]

    def _on_console(self, message):
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def _on_dialog(self, dialog):
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_response(self, response):
        self.responses.append(response)

    def _on_request(self, request):
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and f"{address.scheme}://{address.netloc}" != self.origin:
            self.troubles.append(f"request to another origin: {request.url}")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; without it they skip on a person's machine and fail in CI."""
    chromium = tool("chromium")
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - half a second that others need not wait

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser):
    """An opener of pages, each in a fresh context; at the end of the test none of them may have had a trouble."""
    with ExitStack() as visits:
        yield lambda url, **options: visits.enter_context(_visit(browser, url, options))


@contextmanager
def _visit(browser, url, options):
    address = urlsplit(url)
    watch = Watch(f"{address.scheme}://{address.netloc}")
    context = browser.new_context(**{"locale": "en-GB", **options})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(REPORT_REFUSALS)
    watch.follow(context)
    try:
        page = context.new_page()
        page.on("filechooser", lambda _: None)  # choosers are caught from the start: asked for late, one could slip by
        page.goto(url)
        yield page, watch
        assert watch.troubles == []
    finally:
        context.close()
