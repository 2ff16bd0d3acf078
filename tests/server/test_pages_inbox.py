"""The inbox: what waits, what is mine, what was decided; page by page, and only one's own."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.visiting import Visitor, begun, form_with, forms, office, words
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.inbox import Backlog, ContactRow, Ref
from twelvefold.server.pages.inbox import PAGE_ROWS
from twelvefold.server.pages.inbox_view import Wanted, count, line, offered, policies_for
from twelvefold.store import Append, Create
from twelvefold.thread import Draft, canonical, to_iso

NOBODY_IN_PARTICULAR: dict[str, Any] = {"people": ["anna"], "needed": 1}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


@pytest.fixture
def anna(app: App) -> Visitor:
    return Visitor(app, "anna")


def ask(app: App, name: str, *, to: Any = "anna", risk: str = "low", minutes: int = 0) -> None:
    """A thread with a contact, as a foreign writer may have made it; `minutes`: its deadline."""
    now = app.clock()
    people = {"people": [to] if isinstance(to, str | dict) else to, "needed": 1}
    asked = {
        "contact": "s1.1",
        "step": "s1",
        "kind": "approval",
        "intent": f"do_{name}",
        "args": {"name": name},
        "to": people,
        "risk": risk,
        "deadline": to_iso(now + timedelta(minutes=minutes)) if minutes else None,
    }
    chosen = {"intent": f"do_{name}", "args": {"name": name}, "by": "model"}
    drafts = [Draft("next_step_chosen", chosen, now), Draft("contact_requested", asked, now)]
    app.store.commit_now(Append(name, drafts, create=Create("desk")))


def names(page: Any) -> list[str]:
    return re.findall(r'data-item.*?class="name[^"]*"[^>]*><bdi>([^<]+)', page.text, re.DOTALL)


def test_the_nearest_deadline_comes_first_then_the_oldest(app: App, anna: Visitor):
    for name, minutes in (("a", 0), ("b", 90), ("c", 10), ("d", 0)):
        ask(app, name, minutes=minutes)

    page = anna.get("/inbox")

    assert names(page) == ["do_c", "do_b", "do_a", "do_d"]
    assert '<span class="soon">' in page.text
    assert "in 90 min" in words(page)
    assert "(4) Waiting" in page.text


def test_mine_is_what_i_am_asked(app: App, anna: Visitor):
    app.people = lambda tenant: Directory(roles={"ops": ["anna", "ben"]})
    ask(app, "a", to="ben")
    ask(app, "b", to={"role": "ops"})
    ask(app, "c", to=["cleo", "anna"])

    page = anna.get("/inbox?tab=mine")

    assert names(page) == ["do_b", "do_c"]
    assert "(2) Mine" in page.text
    assert "Waiting 3" in words(page)


def test_history_says_who_when_where_and_why(app: App, anna: Visitor):
    begun(app, "label", name="t")
    page = anna.get("/contacts/t.s1.1")
    form_with(page, "Deny").send(anna, "Deny", comment="Use billing")

    said = words(anna.get("/inbox?tab=history"))

    assert "label medium risk" in said
    assert "denied by anna" in said
    assert re.search(r"denied by anna (just now|[0-9]+ s ago), in the web inbox", said)
    assert "Use billing" in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("risk=high", ["do_b"]),
        ("to=ben", ["do_c"]),
        ("agent=release", []),
        ("agent=desk&risk=low&to=anna", ["do_a"]),
    ],
)
def test_filters_narrow_the_list(app: App, anna: Visitor, query: str, found: list[str]):
    ask(app, "a")
    ask(app, "b", risk="high")
    ask(app, "c", to="ben")

    page = anna.get(f"/inbox?{query}")

    assert names(page) == found
    assert f"Waiting {len(found)}" in words(page)
    assert "Nothing fits this filter." in words(page) or found


def test_pages_hold_each_contact_once(app: App, anna: Visitor):
    for n in range(2 * PAGE_ROWS + 1):
        ask(app, f"n{n:03}")

    found: list[str] = []
    path: str | None = "/inbox?agent=desk"
    while path:
        page = anna.get(path)
        found += names(page)
        links = re.findall(r'href="([^"]+)">Next', page.text)
        path = links[0].replace("&amp;", "&") if links else None

    assert found == [f"do_n{n:03}" for n in range(2 * PAGE_ROWS + 1)]
    assert "(101) Waiting" in page.text


@pytest.mark.parametrize(
    "query", ["after=x", "after=1 2 x 4", f"after=1 2 3 {2**63}", "tab=nothing"]
)
def test_an_address_that_is_none_of_ours_is_a_page_that_says_so(anna: Visitor, query: str):
    assert anna.get(f"/inbox?{query}").status_code == 422


@pytest.mark.parametrize("tab", ["waiting", "mine", "history"])
def test_an_empty_list_says_so(anna: Visitor, tab: str):
    page = anna.get(f"/inbox?tab={tab}")

    assert re.search(r"Nothing (waits for (you|anybody)|was decided yet)\.", words(page))
    assert [form for form in forms(page) if "/contacts/" in form.action] == []


def test_what_people_wrote_makes_no_tag(app: App, anna: Visitor):
    begun(app, "forged", name="t")

    page = anna.get("/inbox")

    assert "<script>document" not in page.text
    assert "\u202e" not in page.text


def test_a_request_that_asks_nobody_does_not_hide_the_others(app: App, anna: Visitor):
    ask(app, "a")
    strange = {"contact": "s1.1", "step": "s1", "intent": "odd", "args": {}, "to": {}, "kind": "x"}
    draft = Draft("contact_requested", strange, app.clock())
    app.store.commit_now(Append("z", [draft], create=Create("desk")))

    assert names(anna.get("/inbox")) == ["do_a", "odd"]
    assert names(anna.get("/inbox?tab=mine")) == ["do_a"]


# Pure


def test_a_line_shows_arguments_but_not_what_the_model_says_of_them(app: App):
    now = app.clock()
    args = {"thought": "because", "tag": "v1", "list": [1]}
    data = {"kind": "approval", "intent": "deploy", "args": args, "to": NOBODY_IN_PARTICULAR}

    shown = line(ContactRow(Ref("default", "t"), "desk", "s1.1", now, data), now)

    assert (shown.name, shown.brief, shown.risk) == ("deploy", "tag: v1, list: [1]", "low")
    assert (shown.id, shown.asked_of, shown.is_soon) == ("t.s1.1", "anna", False)


BACKLOG = [
    Backlog("a", "low", canonical({"people": ["anna"], "needed": 1}), 2),
    Backlog("a", "high", canonical({"people": [{"role": "ops"}], "needed": 1}), 3),
    Backlog("b", "low", canonical({}), 4),
]
PEOPLE = Directory(roles={"ops": ["ben"]}, addresses={"ben": {"mail": "ben@example.com"}})


def test_filters_offer_what_there_is():
    found = offered(BACKLOG, PEOPLE)

    assert (found.agents, found.risks, found.people) == (
        ["a", "b"],
        ["low", "high"],
        ["anna", "ben"],
    )


def test_an_address_is_the_person_behind_it():
    assert policies_for("ben@example.com", BACKLOG, PEOPLE) == [BACKLOG[1].to]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [(Wanted(), 9), (Wanted(agent="a"), 5), (Wanted(risk="high"), 3), (Wanted("b", "high"), 0)],
)
def test_what_fits_is_counted_without_reading_it(wanted: Wanted, number: int):
    assert count(BACKLOG, wanted, None) == number
