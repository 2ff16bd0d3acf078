"""Browsers of people: sizes, themes, what a page complained of, its accessibility, its picture."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    expect,
)

from browser.site import PERSON

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
).split()
SIZES = {"desktop": (1280, 800), "phone": (360, 640), "narrow": (320, 640)}
PATIENCE_MS = 20_000
"""Far more than anything here takes, on a machine with ten times the work it can do."""

expect.set_options(timeout=PATIENCE_MS)

Size = Literal["desktop", "phone", "narrow"]
Theme = Literal["light", "dark"]

# The browser tells of a page that it may not load something; the page itself keeps this list.
KEEPS_VIOLATIONS = """
addEventListener('securitypolicyviolation', event =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@dataclass
class Visits:
    """The open browsers of one test. `refusals` are statuses that a page may well answer with."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list[str])
    refusals: set[int] = field(default_factory=set[int])
    breaks: bool = False
    contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])

    def of(
        self,
        person: str,
        *,
        size: Size = "desktop",
        theme: Theme = "light",
        javascript: bool = True,
        scale: float = 1,
    ) -> Page:
        """A new browser of this person, with an empty page."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme=theme,
            java_script_enabled=javascript,
            has_touch=size != "desktop",
            extra_http_headers={PERSON: person} if person else {},
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(KEEPS_VIOLATIONS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        return page

    def nobody(self) -> Page:
        """Somebody whom nothing names: who opens a link in a mail."""
        return self.of("")

    def may_break(self) -> None:
        """This test cuts the network."""
        self.breaks = True

    def may_refuse(self, *statuses: int) -> None:
        """This test provokes answers with these statuses."""
        self.refusals |= set(statuses)

    def end(self) -> list[str]:
        """Close them all; what their pages complained of."""
        for context in self.contexts:
            context.close()
        return self.complaints

    def _asked(self, request: Request) -> None:
        """Pages work offline: nothing of them comes from anywhere else."""
        if not request.is_navigation_request() and not request.url.startswith(self.url):
            self.complaints.append(f"asks {request.url}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self.breaks and "ERR_INTERNET_DISCONNECTED" in message.text:
            return
        refused = re.search(r"responded with a status of (\d+)", message.text)
        if refused is None or int(refused[1]) not in self.refusals:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


def faults(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds wrong, each with the elements it means; by these rules alone, or by all."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules is not None:
        options["runOnly"] = {"type": "rule", "values": rules}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in found
    ]


def is_in_view(locator: Locator) -> bool:
    """Whether all of it is inside the window, nothing scrolled."""
    box, size = locator.bounding_box(), locator.page.viewport_size
    if box is None or size is None:
        return False
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    return box["x"] >= 0 and box["y"] >= 0 and right <= size["width"] and bottom <= size["height"]


def scrolls_sideways(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")
