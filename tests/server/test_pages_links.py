"""A link shows one contact to one person. Whoever only opens and submits decides nothing risky."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from server.visiting import Visitor, begun, form_with, forms, office, settle, words
from twelvefold.app import App

CRAWLS = 50
CONTACTS = {"low": "note", "medium": "label", "high": "refund"}
PERSON_ALONE = ("contact_answered", "contact_closed")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


def linked(app: App, risk: str, *, to: str = "anna", **options: Any) -> tuple[str, Visitor]:
    """The path of a link to a contact of this risk, and a browser in which nobody is signed in."""
    contact = begun(app, CONTACTS[risk], name="t")
    token = app.sync.link(contact, to, **options)
    return f"/h/{token}", Visitor(app, None)


def decided(app: App, thread: str = "t") -> list[str]:
    return [event.type for event in app.thread(thread).events if event.type in PERSON_ALONE]


def crawl(visitor: Visitor, path: str) -> None:
    """Open the page, and send off each form with each button: as it is, with every field empty,
    and with every value and every word that the page shows in every text field."""
    visitor.head(path)
    page = visitor.get(path)
    shown = {value for form in forms(page) for values in form.fields.values() for value in values}
    shown |= {value for form in forms(page) for _, value, _ in form.buttons}
    shown |= set(re.findall(r"\S+", words(page))) | {words(page)}
    for form in forms(page):
        texts = [name for name in form.names if not form.fields[name] or name in ("typed",)]
        buttons: list[str | None] = [None, *(said for *_, said in form.buttons)]
        for button in buttons:
            form.send(visitor, button)
            form.send(visitor, button, **dict.fromkeys(form.names, ""))
        for button, value in itertools.product(buttons[-1:], shown):
            form.send(visitor, button, **dict.fromkeys({*texts, "comment", "typed"}, value))


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_crawler_that_fills_in_all_it_sees_decides_nothing(app: App, risk: str):
    path, crawler = linked(app, risk)

    crawl(crawler, path)

    assert decided(app) == []
    assert len(app.inbox()) == 1


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_crawler_that_comes_fifty_times_decides_nothing(app: App, risk: str):
    path, crawler = linked(app, risk)

    for _ in range(CRAWLS):
        crawler.head(path)
        for form in forms(crawler.get(path)):
            for _, _, said in form.buttons:
                form.send(crawler, said)

    assert decided(app) == []


@pytest.mark.parametrize("risk", CONTACTS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_only_a_form_that_is_sent_decides(app: App, risk: str, method: str):
    path, visitor = linked(app, risk)

    visitor.request(method, path, params={"decision": "approve", "comment": "x", "typed": "x"})

    assert decided(app) == []


def test_at_low_risk_the_button_is_enough(app: App):
    path, visitor = linked(app, "low")

    answer = form_with(visitor.get(path), "Approve").send(visitor, "Approve")
    settle(app)

    assert (answer.status_code, unquote(answer.headers["location"])) == (303, path)
    vote = next(e for e in app.thread("t").events if e.type == "contact_answered")
    assert (vote.data["by"], vote.data["channel"], vote.data["assurance"]) == (
        "anna",
        "link",
        "link",
    )
    assert "Approved by anna" in words(visitor.get(path))


def test_at_medium_risk_a_person_types_the_code_that_stands_on_the_page(app: App):
    path, visitor = linked(app, "medium")
    page = visitor.get(path)
    code = re.findall(r"<li>(\w)</li>", page.text)

    refused = form_with(page, "Approve").send(visitor, "Approve", typed="000000")
    taken = form_with(page, "Approve").send(visitor, "Approve", typed="".join(code).lower())

    assert refused.status_code == 403
    assert "That is not the code this page shows" in words(refused)
    assert taken.status_code == 303
    assert decided(app) == ["contact_answered", "contact_closed"]


def test_the_code_stands_in_no_field(app: App):
    path, visitor = linked(app, "medium")
    page = visitor.get(path)
    code = "".join(re.findall(r"<li>(\w)</li>", page.text))

    assert len(code) == 6
    assert code not in page.text
    assert form_with(page, "Approve").fields["typed"] == [""]


def test_at_high_risk_the_page_says_where_to_decide(app: App):
    path, visitor = linked(app, "high")
    page = visitor.get(path)

    assert "A link is not enough for high risk" in words(page)
    assert "signed in to this inbox" in words(page)
    assert forms(page) == []
    assert '<a class="button main" href="/contacts/t.s1.1">' in page.text


def test_all_that_would_run_is_shown(app: App):
    path, visitor = linked(app, "high")
    page = words(visitor.get(path))

    for said in ("refund", "order 7", "euros 90.5", "Zoë Müller", '["lost","vip"]', "anna or ben"):
        assert said in page
    assert "The parcel was lost" in page


def test_what_was_typed_is_shown_again_when_it_was_refused(app: App):
    path, visitor = linked(app, "medium")
    page = visitor.get(path)

    refused = form_with(page, "Deny").send(visitor, "Deny", comment="Too soon", typed="wrong!")

    assert form_with(refused, "Deny").fields["comment"] == ["Too soon"]


def test_the_page_says_who_was_faster(app: App):
    path, visitor = linked(app, "low")
    page = visitor.get(path)
    app.sync.answer("t.s1.1", "deny", by="ben", comment="no", channel="web")

    late = form_with(page, "Approve").send(visitor, "Approve", comment="fine with me")

    assert late.status_code == 409
    assert "ben was faster: denied, in the web inbox" in words(late)
    assert "fine with me" in words(late)


@pytest.mark.parametrize(
    "token", ["x", "t.s1.1~" + "0" * 32, "nowhere.s1.1~" + "0" * 32, "t.s9.1~" + "0" * 32, "~"]
)
def test_what_opens_nothing_is_told_apart_from_nothing_else(app: App, token: str):
    linked(app, "low")
    visitor = Visitor(app, None)

    answers = [visitor.get(f"/h/{token}"), visitor.post(f"/h/{token}", data={"decision": "deny"})]

    assert {answer.status_code for answer in answers} == {404}
    assert {words(answer) for answer in answers} == {words(visitor.get("/h/other"))}


def test_a_link_that_has_ended_says_so(app: App):
    path, visitor = linked(app, "low", ttl=timedelta(seconds=-1))

    answer = visitor.get(path)

    assert answer.status_code == 403
    assert "This link ended at" in words(answer)


def test_a_link_of_another_tenant_opens_only_there(app: App):
    async def asked() -> str:
        await app.launch("desk", "note", thread_id="t", tenant="acme")
        await app.run(until_idle=True)
        return await app.link("t.s1.1", "anna", tenant="acme")

    import asyncio

    token = asyncio.run(asked())
    visitor = Visitor(app, None)

    assert visitor.get(f"/h/{token}").status_code == 404
    page = visitor.get(f"/h/{token}?tenant=acme")
    answer = form_with(page, "Approve").send(visitor, "Approve")
    assert unquote(answer.headers["location"]) == f"/h/{token}?tenant=acme"
    assert not app.inbox(tenant="acme")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex, nofollow"),
    ],
)
def test_the_token_goes_nowhere_from_its_page(app: App, name: str, value: str):
    path, visitor = linked(app, "low")
    answer: httpx.Response = visitor.get(path)

    assert answer.headers[name] == value
    assert "http" not in re.sub(r"http-equiv", "", answer.text.replace("http://inbox", ""))


def test_a_link_to_a_thread_of_any_name_works(app: App):
    contact = begun(app, "note", name="orders/7 of 50% #1?")
    visitor = Visitor(app, None)
    path = "/h/" + quote(app.sync.link(contact, "anna"))

    answer = form_with(visitor.get(path), "Approve").send(visitor, "Approve")

    assert "Approved by anna" in words(visitor.get(answer.headers["location"]))


def test_who_is_not_asked_gets_no_buttons(app: App):
    path, visitor = linked(app, "low", to="eve")
    page = visitor.get(path)

    assert "eve may not answer" in words(page)
    assert forms(page) == []
