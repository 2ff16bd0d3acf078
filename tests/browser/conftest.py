"""Fixtures for tests in a real browser. What goes wrong on a page fails the test.

Playwright's sync API holds an event loop in this thread while it is started, so it is started for
this package alone: tests elsewhere find the thread as it was. Tests here are plain functions.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browser.site import Site, served
from browser.visits import ARGUMENTS, CHROMIUM, Visits


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; without one, a skip with the reason, and a failure where `CI` is set."""
    if not CHROMIUM.exists():
        do_without(f"{CHROMIUM} is not there", in_ci=bool(os.environ.get("CI")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running server with an office, a release pipeline, and nothing in its log."""
    with served(tmp_path) as site:
        yield site


@pytest.fixture
def visits(chromium: Browser, site: Site) -> Iterator[Visits]:
    """Opens browsers for people. At the end no page may have complained of anything."""
    made = Visits(chromium, site.url)
    yield made
    assert made.end() == []


@pytest.fixture
def page(visits: Visits) -> Page:
    """anna at her desk: 1280 x 800, light."""
    return visits.of("anna")


def do_without(missing: str, *, in_ci: bool) -> NoReturn:
    if in_ci:
        pytest.fail(f"no browser to test with: {missing}")
    pytest.skip(f"no browser to test with: {missing}")
