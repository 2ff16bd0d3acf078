"""The pages of threads, contexts and health, without a browser."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.visiting import PERSON, Named, Visitor, begun, form_with, office, settle, words
from twelvefold.app import App
from twelvefold.models.openai import OpenAIModel
from twelvefold.server import create_app
from twelvefold.server.access import TrustedProxy
from twelvefold.server.pages.threads import LOOKED_AT_ONCE, ROWS_PER_PAGE
from twelvefold.store import Append, Create
from twelvefold.testing import START
from twelvefold.thread import Draft

PATHS = ("/threads/t1", "/threads/t1/context", "/threads/t1?seq=2", "/threads/t1?at=2")
FORGED = '"><script>alert(1)</script>\u202e'


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


@pytest.fixture
def anna(app: App) -> Visitor:
    return Visitor(app)


def launched(app: App, text: str, name: str, tenant: str = "default") -> None:
    asyncio.run(app.launch("desk", text, thread_id=name, sender="cleo", tenant=tenant))


def sent(
    visitor: Visitor, thread: str, verb: str, text: str = "", *, form_of: str = ""
) -> httpx.Response:
    """Do it as a form of ours does, with its proof."""
    page = visitor.get(f"/threads/{form_of or thread}")
    fields = form_with(page, "Send").fields
    proof = {name: values for name, values in fields.items() if name != "text"}
    return visitor.post(f"/threads/{thread}/{verb}", data={**proof, "text": text})


@pytest.mark.parametrize("path", PATHS)
def test_a_thread_of_another_tenant_is_not_there(app: App, anna: Visitor, path: str):
    launched(app, "the secret of others", "t1", tenant="other")

    answer, missing = anna.get(path), anna.get(path.replace("t1", "t2"))
    assert answer.status_code == missing.status_code == 404
    assert answer.text.replace("t1", "t2") == missing.text


@pytest.mark.parametrize("verb", ["pause", "resume", "retry", "cancel", "message"])
def test_a_thread_of_another_tenant_is_not_touched(app: App, anna: Visitor, verb: str):
    launched(app, "others", "t1", tenant="other")
    launched(app, "mine", "t2")

    assert sent(anna, "t1", verb, "hello", form_of="t2").status_code == 404
    assert app.thread("t1", tenant="other").head == 1


def test_a_list_begins_after_no_thread_of_others(app: App, anna: Visitor):
    launched(app, "others", "t1", tenant="other")

    assert anna.get("/threads?before=t1").status_code == 404


@pytest.mark.parametrize("path", [*PATHS, "/threads", "/threads/t1?show=errors&q=x", "/health"])
def test_what_somebody_wrote_makes_no_tag(app: App, anna: Visitor, path: str):
    launched(app, FORGED, "t1")
    settle(app)

    answer = anna.get(path)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text


def test_what_is_written_into_an_address_makes_no_tag(app: App, anna: Visitor):
    launched(app, "hello", "t1")

    for path in ("/threads", "/threads/t1"):
        answer = anna.get(path, params={"q": FORGED})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/threads/t1?at=99", "/threads/t1?seq=99", "/threads/t1/context?at=99", "/threads/nothing"],
)
def test_an_event_that_is_not_there_is_not_found(app: App, anna: Visitor, path: str):
    launched(app, "hello", "t1")

    assert anna.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/threads?status=odd", "/threads/t1?show=odd", "/threads/t1?at=x"]
)
def test_an_address_that_makes_no_sense_is_refused_by_a_page(app: App, anna: Visitor, path: str):
    launched(app, "hello", "t1")
    answer = anna.get(path)

    assert answer.status_code == 422
    assert "text/html" in answer.headers["content-type"]


def test_a_thread_as_it_was_shows_nothing_of_later(app: App, anna: Visitor):
    contact = begun(app, "refund", name="t1")
    asyncio.run(app.answer(contact, "deny", by="anna", comment="Not without a receipt."))

    past = anna.get("/threads/t1?at=3").text
    assert "As it was after event 3" in past
    assert "Not without a receipt." not in past
    assert "/threads/t1/pause" not in past
    assert "Not without a receipt." in anna.get("/threads/t1").text


def test_a_link_to_an_event_opens_the_page_that_holds_it(app: App, anna: Visitor):
    drafts = [Draft("message_received", {"text": f"message {n}"}, START) for n in range(1200)]
    app.store.commit_now(Append("t1", drafts, create=Create("desk")))

    assert "page 3 of 3" in anna.get("/threads/t1").text
    first = anna.get("/threads/t1?seq=7").text
    assert "page 1 of 3" in first
    assert "message 6<" in first
    assert "message 1100<" not in first
    assert "page 3 of 3" in anna.get("/threads/t1?page=99").text


def test_each_status_offers_what_can_be_done(app: App, anna: Visitor):
    begun(app, "refund", name="t1")

    def offered() -> set[str]:
        return set(re.findall(r'action="/threads/t1/(\w+)"', anna.get("/threads/t1").text))

    assert offered() == {"message", "pause", "cancel"}
    assert sent(anna, "t1", "pause").status_code == 303
    assert offered() == {"resume", "message", "cancel"}
    sent(anna, "t1", "cancel", "no more")
    assert offered() == set()


def test_a_verb_that_changes_nothing_says_so(app: App, anna: Visitor):
    begun(app, "refund", name="t1")
    answer = sent(anna, "t1", "resume")

    assert answer.status_code == 409
    assert "is not paused" in answer.text


def test_an_empty_message_is_not_sent(app: App, anna: Visitor):
    begun(app, "refund", name="t1")
    head = app.thread("t1").head

    assert sent(anna, "t1", "message", " \n").status_code == 422
    assert app.thread("t1").head == head


def test_a_list_is_read_page_by_page_to_its_end(app: App, anna: Visitor):
    for n in range(ROWS_PER_PAGE + 3):
        launched(app, f"title {n}", f"t{n}")
    first = anna.get("/threads").text
    [older] = re.findall(r'href="(/threads\?before=[^"]+)"', first)
    second = anna.get(older).text

    def titles(text: str) -> list[str]:
        return re.findall(r"title \d+", text)

    assert len(titles(first)) == ROWS_PER_PAGE
    assert titles(second) == ["title 2", "title 1", "title 0"]
    assert not re.findall(r'href="(/threads\?before=[^"]+)"', second)


def test_words_are_looked_for_beyond_the_first_read(app: App, anna: Visitor):
    launched(app, "the needle", "needle")
    drafts = [Draft("message_received", {"text": "hay"}, START)]
    hay = [Append(f"h{n}", drafts, create=Create("desk")) for n in range(LOOKED_AT_ONCE + 5)]
    app.store.commit_now(*hay)

    assert "the needle" in anna.get("/threads?q=NEEDLE").text


def test_a_request_of_code_that_fails_says_why(app: App, anna: Visitor):
    asyncio.run(app.launch("breaks", "hello", thread_id="t1"))
    settle(app)
    answer = anna.get("/threads/t1/context")

    assert answer.status_code == 200
    assert "no drawer for this letter" in answer.text


def test_bytes_that_are_not_those_that_were_sent_are_called_so(app: App, anna: Visitor):
    begun(app, "refund", name="t1")
    assert "The same bytes as were sent" in anna.get("/threads/t1/context?at=2").text

    told = app.thread("t1").events[1]
    forged = [
        Draft("message_received", {"text": "refund", "from": "cleo"}, START),
        Draft(told.type, {**told.data, "prompt": "0" * 64}, START, after=1),
    ]
    app.store.commit_now(Append("t2", forged, create=Create("desk")))
    assert "Today's code makes another request" in words(anna.get("/threads/t2/context?at=2"))


def test_what_was_reported_stands_beside_what_is_estimated(app: App, anna: Visitor):
    begun(app, "refund", name="t1")
    text = words(anna.get("/threads/t1/context?at=2"))

    assert re.search(r"tokens, estimated \d+ input, reported \d+ output, reported \d+", text)


def test_the_next_request_is_called_not_sent(app: App, anna: Visitor):
    launched(app, "refund", "t1")

    assert "The next request, not sent yet" in words(anna.get("/threads/t1/context"))


def test_a_key_never_stands_on_the_page_of_a_context(
    app: App, anna: Visitor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    app.models["default"] = OpenAIModel("gpt-5", api_key="sk-also-secret")
    launched(app, "refund", "t1")
    text = anna.get("/threads/t1/context").text

    assert "curl" in text
    assert "gpt-5" in text
    assert "secret" not in text


def test_health_says_what_a_lead_should_know(app: App, anna: Visitor):
    assert "All goes well" in anna.get("/health").text
    begun(app, "refund", name="t1")
    asyncio.run(app.launch("breaks", "hello", thread_id="broken"))
    settle(app)
    text = anna.get("/health").text

    assert "1 thread failed: look why" in text
    assert 'href="/threads/broken"' in text
    assert 'href="/contacts/t1.s1.1"' in text
    launched(app, "refund", "t2")
    assert "1 thread could go on, and no worker runs" in anna.get("/health").text


def test_health_says_what_a_limit_stopped_and_how_to_go_on(app: App, anna: Visitor):
    for name, tenant in (("t1", "default"), ("t2", "other")):
        launched(app, "refund", name, tenant=tenant)
        stopped = Draft("limit_reached", {"limit": "steps", "used": 20, "allowed": 20}, START)
        app.store.commit_now(Append(name, [stopped], tenant=tenant))
    ours, theirs = anna.get("/health").text, Visitor(app, **{"x-tenant": "other"}).get("/health")

    assert "All goes well" not in ours
    assert "A limit stopped 1 thread of desk" in ours
    assert "twelvefold resume --all --agent desk" in ours
    assert "twelvefold resume" not in theirs.text
    assert "resume each on its page" in words(theirs)


def test_health_counts_nothing_of_other_tenants(app: App, anna: Visitor):
    launched(app, "refund", "t1", tenant="other")
    text = anna.get("/health").text

    assert "There is no thread yet" in text
    assert "Nobody" in text


def test_included_below_a_prefix_every_link_stays_below_it(app: App):
    begun(app, "refund", name="t1")
    theirs = FastAPI()
    theirs.mount("/agents", create_app(app, access=Named()))
    anna = TestClient(theirs, base_url="http://inbox.example", headers={PERSON: "anna"})
    for path in ("/threads", *PATHS, "/health"):
        text = anna.get("/agents" + path).text
        links = re.findall(r'(?:href|action|src|data-changes)="([^"#]+)"', text)
        assert links
        assert [link for link in links if not link.startswith("/agents/")] == [], path


def test_who_may_only_read_is_offered_nothing_to_do(app: App):
    begun(app, "refund", name="t1")
    proxy = TrustedProxy(PERSON, networks=["127.0.0.1"], scopes=["threads:read"])
    made = create_app(app, access=proxy)
    reader = TestClient(made, client=("127.0.0.1", 1), headers={PERSON: "anna"})

    assert 'method="post"' not in reader.get("/threads/t1").text
    assert reader.post("/threads/t1/pause").status_code == 403
    assert "scope <code>admin</code>" in reader.get("/health").text
    assert "threads.db" not in reader.get("/health").text


def test_health_tells_what_did_not_arrive(app: App, anna: Visitor):
    begun(app, "refund", name="t1")
    lost = {"contact": "s1.1", "channel": "mail", "to": "a@example.com", "error": "no such host"}
    draft = Draft("contact_not_sent", {**lost, "tries": 3, "dead": True}, START)
    app.store.commit_now(Append("t1", [draft]))
    app.channels = {"mail": object()}
    text = words(anna.get("/health"))

    assert "1 message did not reach those who are asked" in text
    assert "a@example.com: no such host (3 tries, given up)" in text
