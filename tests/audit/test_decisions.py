"""Who decided what, as rows, and as CSV that is safe to open."""

import csv
import io
import json
from typing import Any

import pytest

from crew import Pay, app_of, approved_then, pipeline, settle, store_of
from twelvefold.audit import Decided, Said, decisions, to_csv
from twelvefold.exceptions import NotAllowed
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
AT = "2026-11-20T10:00:00.000000Z"


def said(type: str, seq: int = 1, at: str = AT, key: str | None = None, **data: Any) -> Said:
    return Said("default", "t", "bot", seq, type, key, at, json.dumps(data))


def row(*events: Said, **options: Any) -> Decided:
    (*_, last) = decisions(events, **options)
    return last


async def asked_and_answered(store: Any) -> list[Decided]:
    agent = pipeline(Pay(to="bob"), carry_out=approved_then(lambda _: "paid"))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    with pytest.raises(NotAllowed):
        await app.answer("t.s1.1", "approve", by="mallory", channel="mail")
    await app.answer("t.s1.1", "approve", by="anna", channel="slack", comment="fine")
    return list(decisions(app.store.said()))


async def test_a_vote_says_who_on_which_channel_saw_which_digest(tmp_path):
    for kind in ("memory", "sqlite"):
        rows = await asked_and_answered(store_of(kind, tmp_path))

        assert [one.what for one in rows] == ["asked", "refused", "answered", "closed"]
        asked, refused, answered, closed = rows
        assert asked.to == {"people": ["anna", "bob"], "needed": 1}
        assert (refused.by, refused.channel, refused.decision) == ("mallory", "mail", "approve")
        assert "mallory may not answer" in refused.comment
        assert (answered.by, answered.channel, answered.assurance) == ("anna", "slack", "local")
        assert (answered.decision, answered.comment) == ("approve", "fine")
        assert (closed.decision, closed.by) == ("approved", "anna")
        assert {one.digest for one in rows} == {asked.digest}
        assert len(asked.digest) == 64
        assert {json.dumps(one.args) for one in rows} == {'{"to": "bob"}'}
        assert {(one.contact, one.agent, one.intent) for one in rows} == {("t.s1.1", "crew", "pay")}


async def test_rows_are_found_by_person_and_time():
    store = MemoryStore()
    rows = await asked_and_answered(store)

    assert [r.what for r in decisions(store.said(), by="anna")] == ["answered", "closed"]
    assert list(decisions(store.said(), by="nobody")) == []
    late = list(decisions(store.said(), since=rows[2].at))
    assert [r.what for r in late] == ["answered", "closed"]
    assert late[0].args == {"to": "bob"}  # although it was asked before
    assert list(decisions(store.said(), since="2999-01-01")) == []


def test_a_contact_of_another_thread_or_tenant_lends_no_arguments():
    asked = said("contact_requested", contact="s1.1", args={"to": "bob"}, digest="d")
    other = said("contact_answered", contact="s1.1", by="anna", decision="deny")

    assert row(asked, other._replace(thread="u")).args is None
    assert row(asked, other._replace(tenant="acme")).digest == ""
    assert row(asked, other).digest == "d"


def test_an_erased_vote_still_says_who_and_when():
    gone = said("contact_answered", 7, key="vote:s1.1:anna:b")._replace(data=None)

    found = row(gone)

    assert (found.what, found.decision, found.by) == ("erased", "answered", "anna:b")
    assert (found.contact, found.event, found.at) == ("t.s1.1", 7, AT)
    assert row(said("contact_closed", key="closed:s1.1")._replace(data=None)).contact == "t.s1.1"
    assert row(said("answer_refused")._replace(data=None)).by == ""


def test_what_moves_says_to_whom_and_instead_of_whom():
    to = {"people": ["zoe"], "needed": 1}
    moved = said("contact_reassigned", contact="s1.1", to=to, by="ben", instead_of="ben")

    found = row(moved)

    assert (found.what, found.by, found.to, found.comment) == (
        "reassigned",
        "ben",
        to,
        "instead of ben",
    )
    gone = said("contact_escalated", key="escalated:s1.1")._replace(data=None)
    assert (row(gone).contact, row(gone).decision) == ("t.s1.1", "escalated")


def test_an_option_that_was_chosen_is_the_answer():
    assert row(said("contact_closed", outcome="chosen", choice="spam")).answer == "spam"


def test_an_erasure_says_who_and_why():
    found = row(said("erased", by="olga", reason="request 4711", events=9))

    assert (found.what, found.by, found.comment) == ("erased", "olga", "request 4711")


def test_what_somebody_wrote_over_stops_no_report():
    found = row(said("contact_answered")._replace(data="{"))

    assert "threads verify" in found.comment


@pytest.mark.parametrize(
    "text",
    [
        *("=cmd()", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\x00=1", "\u3000=1"),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "\ttab"),
    ],
)
def test_a_formula_is_no_formula_in_a_spreadsheet(text: str):
    answered = said("contact_answered", by=text, comment=text, channel=text)

    cells = as_rows(decisions([answered]))[0]

    assert [cells[name] for name in ("by", "comment", "channel")] == [f"'{text}"] * 3


@pytest.mark.parametrize(
    "text", ['say "=1"', "a;=1", "a,=1", "line\n=1", "anna", "ü🙂", "a\x1b[2J"]
)
def test_csv_gives_back_every_other_text(text: str):
    answered = said("contact_answered", by="anna", comment=text, answer={"a": [text]})

    (cells,) = as_rows(decisions([answered]))

    assert cells["comment"] == text
    assert json.loads(cells["answer"]) == {"a": [text]}


def test_every_cell_is_quoted():
    line = list(to_csv(decisions([said("contact_answered", comment="a;=1")])))[1]

    assert '"a;=1"' in line
    assert line.startswith('"')
    assert line.endswith('"\r\n')
    assert line.count('"') == 2 * len(Decided.__dataclass_fields__)


def as_rows(rows: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(to_csv(rows)), newline="")))
