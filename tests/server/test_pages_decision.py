"""The page of a contact: all that is needed to decide, and forms that work without JavaScript."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.visiting import Form, Visitor, begun, form_with, forms, office, settle, words
from twelvefold.app import App
from twelvefold.store import Append
from twelvefold.thread import Draft


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


@pytest.fixture
def anna(app: App) -> Visitor:
    return Visitor(app, "anna")


def page_of(anna: Visitor, text: str, *, agent: str = "desk", name: str = "t") -> Any:
    return anna.get("/contacts/" + begun(anna.of, text, agent=agent, name=name))


def decisions(page: Any) -> list[Form]:
    """The forms by which something could be decided."""
    return [form for form in forms(page) if "/contacts/" in form.action]


def last(app: App, type: str, thread: str = "t") -> dict[str, Any]:
    return next(e.data for e in reversed(app.thread(thread).events) if e.type == type)


# What it shows


def test_the_deploybot_shows_what_with_what_at_which_risk_until_when_and_who(anna: Visitor):
    said = words(page_of(anna, "deploy SHA 4af9ec0 to production", agent="release"))

    assert "release wants to run deploy_frontend_to_prod" in said
    assert "high risk" in said
    assert 'tag "4af9ec0"' in said
    assert "expires in 24 h; silence is a no" in said
    assert "Asked by cleo" in said
    assert "Last message cleo: deploy SHA 4af9ec0 to production" in said
    assert "Decides anna or ben" in said
    assert "deploy_staging tag: 4af9ec0" in said
    assert '{"tag":"4af9ec0"}' in said
    assert anna.of.inbox()[0].data["digest"] in said


def test_a_thread_that_nobody_gave_a_name_for_says_so(anna: Visitor):
    asyncio.run(anna.of.launch("desk", "refund", thread_id="t"))
    settle(anna.of)

    assert "Asked by not recorded: whoever began the thread gave no name" in words(
        anna.get("/contacts/t.s1.1")
    )


def test_what_the_model_says_of_itself_is_marked_as_its_words(anna: Visitor):
    page = page_of(anna, "refund")

    assert "Why, in the model's own words" in words(page)
    assert "thought: written by the model, and checked by nobody" in words(page)
    assert "<dt><bdi>thought</bdi></dt>" not in page.text


def test_data_makes_no_tag_and_hides_no_character(anna: Visitor):
    page = page_of(anna, "forged")

    assert "<script>document" not in page.text
    assert "</dd>" + " </dd>" not in page.text
    marked = '<span class="unseen">\\u202e</span>gpj.exe<span class="unseen">\\u200b</span>'
    assert marked in page.text
    assert "\u202e" not in page.text
    assert "\u200b" not in page.text


def test_a_long_text_is_shown_to_its_last_line(anna: Visitor):
    assert "40 row of a long list of goods that nobody cut" in words(page_of(anna, "long"))


@pytest.mark.parametrize("text", ["note", "refund", "yes", "text"])
def test_no_button_is_chosen_beforehand_and_enter_presses_none(anna: Visitor, text: str):
    page = page_of(anna, text)

    assert "autofocus" not in page.text
    options = page.text.count('value="choose"')
    assert page.text.count("<form") == page.text.count("<button disabled hidden>") + options


# Approvals


def test_approve_lets_it_run_and_the_page_says_so(app: App, anna: Visitor):
    page = page_of(anna, "label")

    answer = form_with(page, "Approve").send(anna, "Approve")
    settle(app)

    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts/t.s1.1")
    vote = last(app, "contact_answered")
    assert (vote["by"], vote["channel"], vote["assurance"]) == ("anna", "web", "signed_in")
    after = words(anna.get("/contacts/t.s1.1"))
    assert "Approved by anna" in after
    assert "in the web inbox" in after
    assert "label is done: label is done" in after
    assert 'action="/contacts' not in anna.get("/contacts/t.s1.1").text


def test_a_button_that_is_pressed_twice_is_pressed_once(app: App, anna: Visitor):
    form = form_with(page_of(anna, "label"), "Approve")

    answers = [form.send(anna, "Approve"), form.send(anna, "Approve")]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len([e for e in app.thread("t").events if e.type == "contact_answered"]) == 1


def test_who_changes_her_mind_is_told_what_she_has_said(app: App, anna: Visitor):
    form = form_with(page_of(anna, "label"), "Approve")
    form.send(anna, "Approve")

    late = form.send(anna, "Deny", comment="Oh no")

    assert late.status_code == 409
    assert "You have decided this already: approved." in words(late)
    assert "Oh no" in words(late)


def test_after_a_decision_the_next_one_is_a_click_away(app: App, anna: Visitor):
    begun(app, "refund", name="later")
    page = page_of(anna, "label")
    form_with(page, "Approve").send(anna, "Approve")
    settle(app)

    after = anna.get("/contacts/t.s1.1")

    assert 'href="/contacts/later.s1.1"><span>Next: ' in after.text
    assert "Next" not in words(anna.as_("eve").get("/contacts/t.s1.1"))


def test_deny_needs_a_comment_which_the_model_reads(app: App, anna: Visitor):
    page = page_of(anna, "label")

    refused = form_with(page, "Deny").send(anna, "Deny", comment="  ")
    answer = form_with(refused, "Deny").send(anna, "Deny", comment="Use billing\r\ninstead")

    assert refused.status_code == 422
    assert "A denial needs a comment: the model reads it." in words(refused)
    assert 'id="wrong-comment"><bdi>is empty' in refused.text
    assert answer.status_code == 303
    assert last(app, "contact_closed")["comment"] == "Use billing\ninstead"


def test_a_message_and_a_delivery_that_come_in_between_do_not_make_the_click_fail(
    app: App, anna: Visitor
):
    page = page_of(anna, "label")
    app.sync.send("t", "are you still there?", sender="cleo")
    sent = Draft("contact_sent", {"contact": "s1.1", "channel": "mail", "to": "ben"}, app.clock())
    app.store.commit_now(Append("t", [sent]))

    answer = form_with(page, "Approve").send(anna, "Approve")

    assert answer.status_code == 303
    assert last(app, "contact_closed")["outcome"] == "approved"


def test_a_message_that_came_is_shown_beside_what_was_asked(app: App, anna: Visitor):
    page_of(anna, "label")
    app.sync.send("t", "stop, wrong\u202e one", sender="cleo")

    said = words(anna.get("/contacts/t.s1.1"))

    assert 'Arrived after this was asked cleo: "stop, wrong\\u202e one"' in said


def test_the_late_one_is_told_who_when_where_and_keeps_what_was_typed(app: App, anna: Visitor):
    page = page_of(anna, "label")
    ben = anna.as_("ben")
    form_with(ben.get("/contacts/t.s1.1"), "Approve").send(ben, "Approve")

    late = form_with(page, "Deny").send(anna, "Deny", comment="Not <b>yet</b>")

    assert late.status_code == 409
    said = words(late)
    assert "Nothing was done. ben was faster: approved, in the web inbox." in said
    assert "Approved by ben" in said
    assert "What you wrote, to copy: Not <b>yet</b>" in said
    assert 'action="/contacts' not in late.text


def test_other_arguments_than_the_ones_that_were_shown_are_not_approved(app: App, anna: Visitor):
    form = form_with(page_of(anna, "label"), "Approve")
    form.fields["digest"] = ["0" * 64]

    answer = form.send(anna, "Approve")

    assert answer.status_code == 409
    assert "shows other arguments than the ones you saw" in words(answer)
    assert len(app.inbox()) == 1


def test_time_that_is_over_is_said_with_what_it_means(app: App, anna: Visitor):
    page = page_of(anna, "refund")
    now = app.clock()
    app._clock = lambda: now + timedelta(hours=25)

    late = form_with(page, "Approve").send(anna, "Approve")

    assert late.status_code == 410
    assert "expired at" in words(late)
    assert "time is over" in words(late)
    assert [f"{row.ref.id}.{row.id}" for row in app.inbox()] == ["t.s1.1"]


# Who may


def test_who_is_not_asked_sees_it_without_buttons_and_cannot_decide(app: App, anna: Visitor):
    page_of(anna, "label")
    eve = anna.as_("eve")

    shown = eve.get("/contacts/t.s1.1")
    program = anna.as_("eve", **{"x-program": "yes"})
    tried = program.post("/contacts/t.s1.1", data={"decision": "approve"})

    assert "eve may not answer this; it was asked of anna or ben" in words(shown)
    assert decisions(shown) == []
    assert tried.status_code == 403
    assert "eve may not answer this" in words(tried)
    assert len(app.inbox()) == 1


@pytest.mark.parametrize("proven", ["key", "link_typed", "unheard_of"])
def test_a_sign_in_that_is_not_enough_for_the_risk_says_what_would_be(
    app: App, anna: Visitor, proven: str
):
    page = page_of(anna, "refund")
    weak = anna.as_("anna", **{"x-assurance": proven})

    shown = weak.get("/contacts/t.s1.1")
    tried = form_with(page, "Approve").send(weak, "Approve")

    assert "This way in is not enough for high risk" in words(shown)
    assert "signed in to this inbox" in words(shown)
    assert decisions(shown) == []
    assert tried.status_code == 403
    assert len(app.inbox()) == 1


def test_a_machine_decides_nothing(app: App, anna: Visitor):
    page_of(anna, "note")
    machine = anna.as_("key:robot", **{"x-program": "yes"})

    tried = machine.post("/contacts/t.s1.1", data={"decision": "approve"})

    assert tried.status_code == 403
    assert "people decide" in words(tried)
    assert len(app.inbox()) == 1


def test_a_yes_that_needs_others_is_counted_and_shown(app: App, anna: Visitor):
    page_of(anna, "note")
    request = app.inbox()[0].data
    both = {"people": ["anna", "ben"], "needed": 2}
    moved = Draft("contact_reassigned", {**request, "to": both}, app.clock())
    app.store.commit_now(Append("t", [moved]))

    page = anna.get("/contacts/t.s1.1")
    form_with(page, "Approve").send(anna, "Approve")

    said = words(anna.get("/contacts/t.s1.1"))
    assert "You have said approve" in said
    assert "it needs others as well: 2 of anna, ben" in said
    assert decisions(anna.get("/contacts/t.s1.1")) == []
    assert "anna: approve" in words(anna.as_("ben").get("/contacts/t.s1.1"))


@pytest.mark.parametrize("path", ["/contacts/t.s1.1", "/contacts/t.s1.1/edit"])
def test_another_tenant_finds_nothing_of_it(anna: Visitor, path: str):
    page_of(anna, "label")
    foreign = anna.as_("anna", **{"x-tenant": "acme"})

    there, nowhere = foreign.get(path), foreign.get(path.replace("t.s1.1", "u.s1.1"))

    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert words(there) == words(nowhere).replace("u.s1.1", "t.s1.1")
    assert foreign.get("/inbox").text.count("data-item") == 0


@pytest.mark.parametrize("contact", ["x", "t.s9.9", "t", "t.s1.1.s1.1", "%00"])
def test_what_is_not_there_is_a_page_that_says_so(anna: Visitor, contact: str):
    page_of(anna, "label")

    assert anna.get(f"/contacts/{contact}").status_code == 404


def test_a_contact_of_a_thread_of_any_name_is_found_and_decided(app: App, anna: Visitor):
    begun(app, "label", name="orders/7 of 50% #1?")
    [path] = re.findall(r'class="name[^"]*" href="([^"]+)"', anna.get("/inbox").text)

    [edit] = re.findall(r'href="([^"]+/edit)"', anna.get(path).text)
    editing = anna.get(edit)
    answer = form_with(anna.get(path), "Approve").send(anna, "Approve")

    assert form_with(editing, "Review").action == edit
    assert "Approved by anna" in words(anna.get(answer.headers["location"]))


# Questions


@pytest.mark.parametrize(
    ("text", "button", "typed", "answer"),
    [
        ("text", "Answer", {"value": "Miller\r\n& Sons"}, "Miller\n& Sons"),
        ("yes", "Yes", {}, True),
        ("yes", "No", {}, False),
        ("one", "Answer", {"value": "tuesday"}, "tuesday"),
        ("many", "Answer", {"value": ["olives", "cheese"]}, ["olives", "cheese"]),
        (
            "json",
            "Answer",
            {"arg.city": "Rome", "arg.nights": "3"},
            {"city": "Rome", "nights": 3, "breakfast": False},
        ),
    ],
)
def test_each_kind_of_question_has_its_form(
    app: App, anna: Visitor, text: str, button: str, typed: Any, answer: Any
):
    page = page_of(anna, text)

    sent = form_with(page, button).send(anna, button, **typed)

    assert sent.status_code == 303
    assert last(app, "contact_closed")["answer"] == answer


@pytest.mark.parametrize(
    ("text", "typed", "said"),
    [
        ("text", {"value": " "}, "is empty"),
        ("text", {}, "awaits an answer, not silence"),
        ("one", {"value": "sunday"}, "monday"),
        ("many", {}, "awaits an answer, not silence"),
        ("json", {"arg.city": "Rome", "arg.nights": "three"}, "is no whole number, such as 12"),
        ("json", {"arg.city": "Rome", "arg.nights": "31"}, "30"),
    ],
)
def test_a_wrong_answer_is_shown_again_with_what_is_wrong(
    app: App, anna: Visitor, text: str, typed: Any, said: str
):
    page = page_of(anna, text)

    refused = form_with(page, "Answer").send(anna, "Answer", **typed)

    assert refused.status_code == 422
    assert "Nothing was done" in words(refused)
    assert said in words(refused)
    assert len(app.inbox()) == 1
    kept = form_with(refused, "Answer").fields
    assert kept.get("arg.city", ["Rome"]) == ["Rome"]


def test_what_stands_below_a_question_is_no_part_of_its_heading(anna: Visitor):
    page = page_of(anna, "text")

    [heading] = re.findall(r"<h1.*?</h1>", page.text)
    assert "Which supplier?" in heading
    assert "out of business" not in heading
    assert "The last one went out of business." in words(page)


def test_the_fields_of_an_answer_come_in_the_order_of_its_type(anna: Visitor):
    form = form_with(page_of(anna, "json"), "Answer")
    fields = list(dict.fromkeys(name for name in form.names if name.startswith("arg.")))

    assert fields == ["arg.city", "arg.nights", "arg.breakfast"]


def test_an_option_ends_it_with_its_own_words(app: App, anna: Visitor):
    page = page_of(anna, "refund")
    form = form_with(page, "That is spam")

    assert form.fields["comment"] == ["No customer."]
    form.send(anna, "That is spam", comment="Nobody we know")

    closed = last(app, "contact_closed")
    assert (closed["outcome"], closed["choice"], closed["comment"]) == (
        "chosen",
        "spam",
        "Nobody we know",
    )


# Outcomes and repairs


def test_an_unknown_outcome_is_settled_by_what_somebody_saw(app: App, anna: Visitor):
    page = page_of(anna, "wire")
    form_with(page, "Approve").send(anna, "Approve")
    settle(app)
    asked = next(row for row in app.inbox() if row.data["kind"] == "outcome")

    page = anna.get(f"/contacts/t.{asked.id}")
    form_with(page, "It ran").send(anna, "It ran", result='{"id": 7}')

    assert "does not know what became of wire" in words(page)
    assert last(app, "contact_closed")["answer"] == {"id": 7}


@pytest.mark.parametrize("button", ["Run again", "Give up"])
def test_an_unknown_outcome_is_run_again_or_given_up(app: App, anna: Visitor, button: str):
    page = page_of(anna, "wire")
    form_with(page, "Approve").send(anna, "Approve")
    settle(app)
    asked = next(row for row in app.inbox() if row.data["kind"] == "outcome")

    form_with(anna.get(f"/contacts/t.{asked.id}"), button).send(anna, button)

    assert last(app, "contact_closed")["outcome"] == button.lower().replace(" ", "_")


# Forms that are none


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"decision": "burn"},
        {"decision": "it_ran"},
        {"decision": "edit"},
        {"decision": "choose", "option": "x"},
        {"decision": "answer", "value": "yes"},
    ],
)
def test_a_form_that_says_nothing_fitting_is_refused(app: App, anna: Visitor, data: Any):
    form = form_with(page_of(anna, "label"), "Approve")

    sent = anna.post("/contacts/t.s1.1", data={"csrf": form.fields["csrf"][0], **data})

    assert sent.status_code == 422
    assert "Nothing was done" in words(sent)
    assert len(app.inbox()) == 1


def test_a_form_of_another_site_decides_nothing(app: App, anna: Visitor):
    page_of(anna, "label")

    sent = anna.post("/contacts/t.s1.1", data={"decision": "approve"})

    assert sent.status_code == 403
    assert len(app.inbox()) == 1
