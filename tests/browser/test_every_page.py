"""What holds for every page there is: accessible in both themes, and nothing off the edge."""

from collections.abc import Iterator

import pytest

from browser.site import Site, served
from browser.visits import Visits, faults, scrolls_sideways

COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests here: they only look."""
    with served(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def paths(site: Site) -> list[str]:
    """One page of each kind, with something on it."""
    deploy = site.deploy(name="d1")
    site.answer(deploy, "deny", comment="The backend first.")
    contacts = [
        site.contact(kind, name=kind) for kind in ("refund", "text", "many", "json", "forged")
    ]
    contacts.append(site.repair(name="blue"))
    site.answer(site.contact("wire", name="w1"), "approve")
    row = site.until(lambda app: [r for r in app.inbox() if r.data["kind"] == "outcome"])[0]
    site.begin("anything", agent="breaks", name="broken")
    link = site.do(site.app.link(site.contact("label", name="label"), "anna"))
    return [
        "/inbox",
        "/inbox?tab=mine",
        "/inbox?tab=history",
        *(f"/contacts/{contact}" for contact in contacts),
        f"/contacts/w1.{row.id}",
        f"/contacts/{deploy}",
        "/contacts/refund.s1.1/edit",
        f"/h/{link}",
        "/threads",
        "/threads?status=cancelled",
        "/threads/d1?seq=11",
        "/threads/d1?at=4",
        "/threads/broken",
        "/threads/d1/context",
        "/health",
        "/threads/nothing",
    ]


def test_axe_finds_no_fault_on_any_page(visits: Visits, paths: list[str]):
    """In the dark nothing but the colours differs."""
    visits.may_refuse(404)
    page = visits.of("anna")
    found = {}
    for path in paths:
        page.emulate_media(color_scheme="light")
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        wrong = faults(page)
        page.emulate_media(color_scheme="dark")
        if wrong := [*wrong, *faults(page, COLOURS)]:
            found[path] = wrong

    assert found == {}


def test_nothing_is_off_the_edge_at_320_pixels(visits: Visits, paths: list[str]):
    visits.may_refuse(404)
    page = visits.of("anna", size="narrow")
    wide = []
    for path in paths:
        page.goto(path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        if scrolls_sideways(page):
            wide.append(path)

    assert wide == []


def test_every_page_is_whole_without_javascript(visits: Visits, paths: list[str]):
    visits.may_refuse(404)
    page = visits.of("anna", javascript=False)
    for path in paths:
        page.goto(path)
        assert page.get_by_role("heading").count() >= 1, path
        for control in page.locator("button[hidden]:not([disabled])").all():
            assert control.get_attribute("data-send") is not None, path
