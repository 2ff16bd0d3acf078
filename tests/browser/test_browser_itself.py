"""The browser the other tests look through: it sees what goes wrong, and leaves no loop behind."""

import pytest
from playwright.sync_api import Page

from browser.conftest import do_without
from browser.site import Site
from browser.visits import Visits, faults


@pytest.fixture(autouse=True)
def no_icon(visits: Visits) -> None:
    """Plain JSON names no icon, and the browser asks for one."""
    visits.may_refuse(404)


def test_a_page_is_served(page: Page):
    page.goto("/livez")

    assert '"ok"' in page.content()


def test_an_error_on_a_page_is_a_complaint(page: Page, visits: Visits):
    page.goto("/livez")
    page.evaluate("console.error('broken'); setTimeout(() => { throw new Error('thrown') })")
    page.wait_for_function("true")

    assert any("broken" in said for said in visits.complaints)
    visits.complaints.clear()


def test_what_comes_from_elsewhere_is_a_complaint(page: Page, visits: Visits):
    page.goto("/livez")
    page.set_content("<html><body><img src='http://127.0.0.1:9/elsewhere.png'></body></html>")
    page.evaluate("fetch('http://127.0.0.1:9/more').catch(() => null)")

    assert visits.complaints
    visits.complaints.clear()


def test_axe_finds_a_planted_fault(page: Page):
    page.goto("/livez")
    page.set_content("<html><body><button></button><p>pale</p></body></html>")
    page.evaluate("document.querySelector('p').style.color = '#ccc'")

    assert any(fault.startswith("button-name") for fault in faults(page))
    [pale] = faults(page, ["color-contrast"])
    assert pale.startswith("color-contrast")


@pytest.mark.parametrize(
    ("in_ci", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)]
)
def test_a_missing_browser_fails_where_all_is_to_be_tested(
    in_ci: bool, outcome: type[BaseException]
):
    with pytest.raises(outcome, match="no browser"):
        do_without("none", in_ci=in_ci)


def test_the_office_asks_in_each_way(site: Site):
    asked = {
        "refund": "refund",
        "label": "label",
        "note": "note",
        "text": "free_text",
        "yes": "yes_no",
        "one": "multiple_choice",
        "many": "multiple_choice",
        "json": "json",
    }
    for word in asked:
        site.contact(f"{word}, please", name=word)

    rows = site.read(lambda app: app.inbox())
    found = {r.ref.id: (r.data.get("form") or {"kind": r.data["intent"]})["kind"] for r in rows}
    assert found == asked


def test_the_office_has_all_that_can_be_asked(site: Site):
    site.answer(site.contact("wire", name="w"), "approve")
    site.until(lambda app: any(row.data["kind"] == "outcome" for row in app.inbox()))
    site.repair()
    site.deploy()
    site.begin("anything", agent="breaks", name="broken")

    kinds = {row.data["kind"] for row in site.read(lambda app: app.inbox())}
    assert kinds == {"outcome", "repair", "approval"}
    assert site.read(lambda app: app.store.thread_row("broken").status) == "failed"
