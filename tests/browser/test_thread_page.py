"""The page of a thread in a browser: its parts change without the page being loaded again."""

import re

from playwright.sync_api import Page, expect

from browser.site import Site
from browser.visits import Visits, scrolls_sideways


def test_an_event_is_looked_at_without_losing_the_place(page: Page, site: Site):
    site.deploy(name="t1")
    page.goto("/threads/t1")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="5", exact=True).first.click()

    expect(page.get_by_role("heading", name="Event 5")).to_be_visible()
    expect(page).to_have_url(re.compile(r"seq=5#event$"))
    assert page.evaluate("window.same")
    page.go_back()
    expect(page.get_by_role("heading", name="One event")).to_be_visible()


def test_time_goes_back_and_the_address_can_be_shared(page: Page, visits: Visits, site: Site):
    site.deploy(name="t1")
    page.goto("/threads/t1")
    page.get_by_label("The thread as it was at event").fill("4")

    expect(page.get_by_text("As it was after event 4 of 9")).to_be_visible()
    expect(page.locator("#timeline")).not_to_contain_text("deploy_frontend_to_prod")
    expect(page).to_have_url(re.compile(r"at=4$"))
    other = visits.of("ben", javascript=False)
    other.goto(page.url)
    expect(other.get_by_text("As it was after event 4 of 9")).to_be_visible()
    other.get_by_role("link", name="One event on").click()
    expect(other.get_by_text("As it was after event 5 of 9")).to_be_visible()


def test_what_happens_is_shown_as_it_happens(page: Page, site: Site):
    contact = site.deploy(name="t1")
    page.goto("/threads/t1")
    page.get_by_label("A message to release").fill("not yet sent")
    site.answer(contact, "deny", comment="The backend first.")

    expect(page.locator("#timeline")).to_contain_text("denied by anna")
    expect(page.locator("#timeline")).to_contain_text("deploy_backend_to_prod")
    expect(page.get_by_label("A message to release")).to_have_value("not yet sent")


def test_a_thread_is_paused_and_resumed(page: Page, site: Site):
    site.deploy(name="t1")
    page.goto("/threads/t1")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()

    expect(page.locator("#state")).to_contain_text("waiting")
    assert site.read(lambda app: app.store.thread_row("t1").status) == "waiting"


def test_a_thread_is_cancelled_for_good(page: Page, site: Site):
    site.deploy(name="t1")
    page.goto("/threads/t1")
    page.get_by_text("Cancel", exact=True).click()
    page.get_by_label("Why, for the log").fill("Not this week.")
    page.get_by_role("button", name="Cancel for good").click()

    expect(page.locator("#state")).to_contain_text("cancelled")
    [ended] = [e for e in site.read(lambda app: app.thread("t1")).events if e.type == "cancelled"]
    assert ended.data == {"by": "anna", "reason": "Not this week."}


def test_a_message_is_sent_without_javascript(visits: Visits, site: Site):
    site.contact("text", name="q1")
    page = visits.of("anna", javascript=False)
    page.goto("/threads/q1")
    page.get_by_label("A message to desk").fill("Take the cheap one.")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("#timeline")).to_contain_text("Take the cheap one.")
    expect(page.locator("#timeline")).to_contain_text("by anna")


def test_a_failed_thread_is_tried_again(page: Page, site: Site):
    site.begin("anything", agent="breaks", name="broken")
    page.goto("/threads/broken")
    expect(page.get_by_text("It cannot go on:")).to_be_visible()
    page.get_by_role("button", name="Try again").click()

    expect(page.locator("#timeline")).to_contain_text("resumed")


def test_threads_are_found_by_words_and_status(page: Page, site: Site):
    site.deploy(name="t1")
    site.begin("anything", agent="breaks", name="broken")
    page.goto("/threads")
    page.get_by_label("Title or id").fill("4af9")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-item]")).to_have_count(1)
    page.get_by_label("Title or id").fill("")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Show", exact=True).click()

    expect(page.locator("[data-item]")).to_have_count(1)
    expect(page.locator("[data-item]")).to_contain_text("no drawer for this letter")


def test_a_new_thread_comes_into_the_list_by_itself(page: Page, site: Site):
    page.goto("/threads")
    expect(page.get_by_text("There is no thread yet")).to_be_visible()
    site.deploy(name="t1")

    expect(page.locator("[data-item]")).to_have_count(1)


def test_what_was_sent_is_shown_by_its_sources(page: Page, site: Site):
    site.answer(site.deploy(name="t1"), "deny", comment="The backend first.")
    site.until(lambda app: app.thread("t1").head >= 13)
    page.goto("/threads/t1/context?at=12")

    expect(page.get_by_text("The same bytes as were sent")).to_be_visible()
    expect(page.locator(".seg", has_text="event 11")).to_contain_text("The backend first.")
    page.get_by_text("What changed since the request before").click()
    expect(page.locator("ins").filter(has_text="decision: denied")).to_be_visible()
    page.get_by_text("As a command for the shell").click()
    expect(page.locator("[data-copy]")).to_contain_text('curl "$MODEL_URL"')


def test_keys_move_through_a_list_until_they_are_turned_off(page: Page, site: Site):
    site.contact("note", name="n1")
    site.contact("refund", name="r1")
    page.goto("/threads")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#thread-n1 a.name")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#thread-r1 a.name")).to_be_focused()
    page.keyboard.press("?")
    page.get_by_label("Single keys work").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")

    expect(page.locator("#thread-n1 a.name")).not_to_be_focused()
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("#thread-r1 a.name")).not_to_be_focused()


def test_no_page_of_threads_scrolls_sideways(visits: Visits, site: Site):
    site.contact("forged", name="f1")
    site.contact("long", name="l1")
    page = visits.of("anna", size="narrow")
    for path in ("/threads", "/threads/l1", "/threads/f1?seq=2", "/threads/l1/context", "/health"):
        page.goto(path)
        assert not scrolls_sideways(page), path
