"""News come while people work: what they type, select and look at stays as it is."""

import re

from playwright.sync_api import Page, expect

from browser.site import Site
from browser.visits import Visits

ARRIVALS = 25
SELECTED = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"


def test_a_half_typed_comment_survives_whatever_arrives(page: Page, site: Site):
    contact = site.contact("refund", name="r1")
    page.goto(f"/contacts/{contact}")
    comment = page.locator("#comment")
    comment.focus()
    typed = ""
    for n in range(1, ARRIVALS + 1):
        page.keyboard.type(f"{n} ")
        typed += f"{n} "
        page.evaluate("document.activeElement.setSelectionRange(1, 2)")
        site.do(site.app.send("r1", f"message number {n}", sender="cleo"))
        expect(page.locator("#asked")).to_contain_text(f"message number {n}")

        expect(comment).to_be_focused()
        expect(comment).to_have_value(typed)
        at = page.evaluate(
            "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
        )
        assert at == [1, 2]
        page.keyboard.press("Control+End")
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("heading", name="Denied by anna")).to_be_visible()


def test_what_arrives_in_the_inbox_is_counted_and_said(page: Page, site: Site):
    site.contact("refund", name="r0")
    page.goto("/inbox")
    page.locator("[data-item] a.name").focus()
    page.evaluate("window.same = true")
    for n in range(1, 6):
        site.contact("note", name=f"n{n}")
        expect(page).to_have_title(re.compile(rf"^\({n + 1}\) "))
        expect(page.locator("[data-item]")).to_have_count(n + 1)
        expect(page.locator("#live")).to_contain_text("new decision")

    expect(page.locator("#contact-r0\\.s1\\.1 a.name")).to_be_focused()
    assert page.evaluate("window.same")


def test_what_was_decided_leaves_the_inbox(page: Page, site: Site):
    contact = site.contact("note", name="n1")
    site.contact("refund", name="r1")
    page.goto("/inbox")
    expect(page.locator("[data-item]")).to_have_count(2)
    site.answer(contact, "approve", by="ben")

    expect(page.locator("[data-item]")).to_have_count(1)
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_a_place_in_a_long_list_is_kept(page: Page, site: Site):
    for n in range(30):
        site.begin("note", name=f"n{n}")
    page.goto("/inbox")
    last = page.locator("[data-item]").last
    last.scroll_into_view_if_needed()
    before = last.bounding_box()
    site.contact("refund", name="r1")  # has a deadline, so it comes first

    expect(page.locator("[data-item]")).to_have_count(31)
    after = page.locator("[data-item]").last.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2


def test_a_stream_that_broke_is_taken_up_again(visits: Visits, site: Site):
    page = visits.of("anna")
    visits.may_break()
    page.goto("/inbox")
    page.context.set_offline(True)
    site.contact("note", name="n1")
    page.context.set_offline(False)

    expect(page.locator("[data-item]")).to_have_count(1)


def test_what_is_unfolded_stays_unfolded(page: Page, site: Site):
    site.contact("refund", name="r1")
    page.goto("/contacts/r1.s1.1")
    page.get_by_text("The exact call").click()
    site.do(site.app.send("r1", "hurry", sender="cleo"))

    expect(page.locator("#asked")).to_contain_text("hurry")
    expect(page.get_by_text("What is approved is this")).to_be_visible()
