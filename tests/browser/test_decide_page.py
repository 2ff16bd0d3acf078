"""People decide in a browser: every kind of question, with and without JavaScript."""

import re

from playwright.sync_api import Page, expect

from browser.desk import LATER
from browser.site import Site
from browser.visits import Visits, is_in_view, scrolls_sideways
from twelvefold.thread import Event


def events(site: Site, thread: str, type: str) -> list[Event]:
    log = site.read(lambda app: app.thread(thread))
    return [event for event in log.events if event.type == type]


def closing(site: Site, thread: str) -> dict[str, object]:
    """How the first contact of the thread ended, as soon as it has."""
    site.until(lambda app: any(e.type == "contact_closed" for e in app.thread(thread).events))
    return events(site, thread, "contact_closed")[0].data


def test_a_yes_runs_what_was_shown(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("heading", name="Approved by anna")).to_be_visible()
    site.until(lambda app: app.store.thread_row("r1").status == "finished")
    [ran] = events(site, "r1", "tool_returned")
    assert ran.data["result"] == "refund is done"


def test_a_no_needs_a_comment_that_the_model_reads(page: Page, site: Site):
    page.goto(f"/contacts/{site.deploy(name='d1')}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("Say why: the model reads it.")).to_be_visible()
    expect(page.locator("#comment")).to_be_focused()
    assert events(site, "d1", "contact_answered") == []
    page.keyboard.type("The backend first, please.")
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("heading", name="Denied by anna")).to_be_visible()
    assert closing(site, "d1")["comment"] == "The backend first, please."
    page.get_by_role("link", name=re.compile("^Next")).click()
    expect(page.get_by_role("heading", name="deploy_backend_to_prod")).to_be_visible()


def test_an_edit_shows_what_changes_and_runs_that(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("euros").fill("12.5")
    page.get_by_label("USD").check()

    expect(page.locator("#changes")).to_contain_text("was 90.5")
    expect(page.locator("#changes")).to_contain_text("becomes 12.5")
    page.get_by_role("button", name="Approve this").click()
    site.until(lambda app: app.store.thread_row("r1").status == "finished")
    edited = events(site, "r1", "next_step_chosen")[1].data
    assert (edited["by"], edited["person"]) == ("human", "anna")
    assert (edited["args"]["euros"], edited["args"]["currency"]) == (12.5, "USD")
    assert edited["args"]["customer"] == "Zo\u00eb M\u00fcller"


def test_an_edit_that_does_not_fit_says_so_at_the_field(page: Page, site: Site, visits: Visits):
    visits.may_refuse(422)
    page.goto(f"/contacts/{site.contact('refund', name='r1')}/edit")
    page.get_by_label("euros").fill("a lot")
    page.get_by_role("button", name="Approve this").click()

    expect(page.get_by_text("Nothing was done.")).to_be_visible()
    expect(page.get_by_label("euros")).to_have_value("a lot")
    expect(page.get_by_label("euros")).to_have_attribute("aria-invalid", "true")
    assert events(site, "r1", "contact_closed") == []


def test_a_question_is_answered_in_words(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('text', name='q1')}")
    page.get_by_label("Your answer").fill("The one\nnext door")
    page.get_by_role("button", name="Answer").click()

    expect(page.get_by_role("heading", name="Answered by anna")).to_be_visible()
    assert closing(site, "q1")["answer"] == "The one\nnext door"


def test_yes_or_no_is_one_click(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('yes', name='q1')}")
    page.get_by_role("button", name="Yes").click()

    expect(page.get_by_role("heading", name="Answered by anna")).to_be_visible()
    assert closing(site, "q1")["answer"] is True


def test_one_of_several_is_picked(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('one', name='q1')}")
    page.get_by_label("tuesday").check()
    page.get_by_role("button", name="Answer").click()

    expect(page.get_by_role("heading", name="Answered by anna")).to_be_visible()
    assert closing(site, "q1")["answer"] == "tuesday"


def test_several_of_several_are_picked(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('many', name='q1')}")
    page.get_by_label("cheese").check()
    page.get_by_label("olives").check()
    page.get_by_role("button", name="Answer").click()

    expect(page.get_by_role("heading", name="Answered by anna")).to_be_visible()
    assert closing(site, "q1")["answer"] == ["cheese", "olives"]


def test_an_answer_with_fields_keeps_their_types(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('json', name='q1')}")
    page.get_by_label(re.compile("^city", re.IGNORECASE)).fill("Oslo")
    page.get_by_label(re.compile("^nights", re.IGNORECASE)).fill("3")
    page.get_by_role("button", name="Answer").click()

    expect(page.get_by_role("heading", name="Answered by anna")).to_be_visible()
    answer = closing(site, "q1")["answer"]
    assert answer == {"city": "Oslo", "nights": 3, "breakfast": False}


def test_an_option_ends_it_without_a_run(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    page.locator("summary", has_text=LATER.title).click()
    page.get_by_role("button", name=LATER.title).click()

    expect(page.get_by_text("next_week").or_(page.get_by_text(LATER.title)).first).to_be_visible()
    assert closing(site, "r1")["choice"] == "next_week"
    assert events(site, "r1", "tool_started") == []


def test_an_unknown_outcome_is_settled(page: Page, site: Site):
    site.answer(site.contact("wire", name="w1"), "approve")
    row = site.until(lambda app: [r for r in app.inbox() if r.data["kind"] == "outcome"])[0]
    page.goto(f"/contacts/w1.{row.id}")
    page.get_by_label("What it returned, if it ran").fill("transfer 4711")
    page.get_by_role("button", name="It ran").click()

    site.until(lambda app: app.store.thread_row("w1").status == "finished")
    assert events(site, "w1", "contact_closed")[-1].data["answer"] == "transfer 4711"


def test_what_no_longer_fits_is_repaired(page: Page, site: Site):
    page.goto(f"/contacts/{site.repair(name='blue')}")
    page.get_by_role("link", name="Repair").click()
    page.get_by_label("seats").fill("9")
    page.get_by_role("button", name="Repair").click()

    site.until(lambda app: len(events_of(app, "blue", "next_step_chosen")) == 2)
    repaired = events(site, "blue", "next_step_chosen")[1].data
    assert repaired["args"] == {"room": "blue", "seats": 9}


def events_of(app: object, thread: str, type: str) -> list[Event]:
    return [e for e in app.thread(thread).events if e.type == type]  # pyright: ignore


def test_who_comes_second_is_told_who_was_first(visits: Visits, site: Site):
    contact = site.contact("refund", name="r1")
    visits.may_refuse(409)
    anna = visits.of("anna", javascript=False)
    anna.goto(f"/contacts/{contact}")
    ben = visits.of("ben")
    ben.goto(f"/contacts/{contact}")
    ben.get_by_role("button", name="Approve").click()
    expect(ben.get_by_role("heading", name="Approved by ben")).to_be_visible()
    anna.locator("#comment").fill("I would rather not.")
    anna.get_by_role("button", name="Deny").click()

    expect(anna.get_by_text("Nothing was done.")).to_be_visible()
    expect(anna.get_by_role("heading", name="Approved by ben")).to_be_visible()
    expect(anna.get_by_text("I would rather not.")).to_be_visible()
    assert closing(site, "r1")["by"] == "ben"


def test_another_tab_is_told_and_keeps_what_was_typed(visits: Visits, site: Site):
    contact = site.contact("refund", name="r1")
    anna = visits.of("anna")
    anna.goto(f"/contacts/{contact}")
    anna.locator("#comment").fill("I would rather")
    site.answer(contact, "approve", by="ben")

    expect(anna.locator("#news")).to_contain_text("Approved by ben while you were here")
    expect(anna.locator("#comment")).to_have_value("I would rather")
    expect(anna.get_by_role("button", name="Approve")).to_have_count(0)


def test_who_is_not_asked_cannot_press_anything(visits: Visits, site: Site):
    page = visits.of("eve")
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")

    expect(page.get_by_text("You cannot decide this")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_without_javascript_a_no_without_a_comment_comes_back(visits: Visits, site: Site):
    visits.may_refuse(422)
    page = visits.of("anna", javascript=False)
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("Nothing was done.")).to_be_visible()
    page.locator("#comment").fill("No receipt.")
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("heading", name="Denied by anna")).to_be_visible()
    assert closing(site, "r1")["comment"] == "No receipt."


def test_without_javascript_an_edit_is_reviewed_first(visits: Visits, site: Site):
    page = visits.of("anna", javascript=False)
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("euros").fill("12.5")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".diff")).to_contain_text("12.5")
    assert events(site, "r1", "contact_closed") == []
    page.get_by_role("button", name="Approve this").click()

    site.until(lambda app: app.store.thread_row("r1").status == "finished")
    assert events(site, "r1", "next_step_chosen")[1].data["args"]["euros"] == 12.5


def test_keys_alone_are_enough_to_decide(page: Page, site: Site):
    site.contact("note", name="n1")
    site.contact("refund", name="r1")
    page.goto("/inbox")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="refund")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    assert events(site, "r1", "contact_answered") == []
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Approved by anna")).to_be_visible()


def test_the_tab_key_reaches_every_button_and_none_has_the_focus_at_first(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    focused = "document.activeElement.textContent.trim()"
    assert page.evaluate("document.activeElement === document.body")
    seen: list[str] = []
    while not seen or seen[-1] != "Approve":
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focused))
        assert len(seen) < 30

    assert seen.index("Deny") < seen.index("Edit") < seen.index("Approve")


def test_enter_in_a_comment_field_decides_nothing(page: Page, site: Site):
    page.goto(f"/contacts/{site.contact('refund', name='r1')}/edit")
    page.get_by_label("euros").fill("12")
    page.keyboard.press("Enter")

    expect(page.get_by_label("euros")).to_have_value("12")
    assert events(site, "r1", "contact_answered") == []


def test_a_phone_shows_all_of_a_deploy_without_scrolling(visits: Visits, site: Site):
    page = visits.of("anna", size="phone")
    page.goto(f"/contacts/{site.deploy(name='d1')}")
    needed = {
        "what": page.get_by_role("heading", name="deploy_frontend_to_prod"),
        "the name of the argument": page.get_by_text("tag", exact=True),
        "its value": page.locator("dd", has_text="4af9ec0").first,
        "the risk": page.get_by_text("high risk"),
        "the deadline": page.locator("#asked time").first,
        "who asked": page.locator("dd", has_text="cleo, "),
        "who decides": page.locator("dd", has_text="anna or ben"),
        "deny": page.get_by_role("button", name="Deny"),
        "approve": page.get_by_role("button", name="Approve"),
    }

    assert [name for name, one in needed.items() if not is_in_view(one)] == []
    bar = page.locator(".bar").bounding_box()
    assert bar is not None
    for name, one in needed.items():
        box = one.bounding_box()
        assert box is not None
        covered = box["y"] + box["height"] > bar["y"]
        assert not covered or name in ("deny", "approve"), f"{name} is below the buttons"


def test_the_name_of_the_next_step_is_not_cut_on_a_phone(visits: Visits, site: Site):
    page = visits.of("anna", size="phone")
    page.goto(f"/contacts/{site.contact('label', name='l1')}")
    site.deploy(name="d1")
    page.get_by_role("button", name="Approve").click()

    following = page.get_by_role("link", name="Next: deploy_frontend_to_prod")
    following.wait_for()
    said = following.locator("span").first
    assert said.evaluate("it => it.scrollHeight <= it.clientHeight + 1")
    assert said.evaluate("it => it.scrollWidth <= it.clientWidth + 1")
    assert not scrolls_sideways(page)


def test_buttons_are_large_enough_for_a_thumb(visits: Visits, site: Site):
    page = visits.of("anna", size="phone")
    page.goto(f"/contacts/{site.contact('refund', name='r1')}")
    for button in page.locator("button:visible, a.button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, button.text_content()


def test_a_link_in_a_mail_needs_the_code_that_it_shows(visits: Visits, site: Site):
    contact = site.contact("label", name="l1")
    token = site.do(site.app.link(contact, "anna"))
    visits.may_refuse(422, 403)
    page = visits.nobody()
    page.goto(f"/h/{token}")
    expect(page.get_by_role("heading", name="label")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing was done.")).to_be_visible()
    assert events(site, "l1", "contact_closed") == []
    page.get_by_label("Code").fill("".join(page.locator(".code li").all_text_contents()))
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("heading", name="Approved by anna")).to_be_visible()
    assert closing(site, "l1")["channel"] == "link"
