"""Threads as files: what is read back, what is void then, what a fork may change."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from small import AGENT, HOUR, Deploy, Look, Nap, Question, deploy, look
from twelvefold.contacts import Answer, judge
from twelvefold.effects import Approve, Sleep, run
from twelvefold.exceptions import Conflict, InvalidFile
from twelvefold.files import changes_in, diff, editable, edited, import_thread, markdown
from twelvefold.forks import fork
from twelvefold.plan import fire, recover
from twelvefold.policy import Settles
from twelvefold.testing import (
    START,
    approved,
    asked,
    began,
    chosen,
    decision,
    denied,
    event,
    failed,
    finished,
    given,
    killed,
    message,
    returned,
    said,
    started,
)
from twelvefold.thread import Event, Parent, Thread

DEPLOY = (message("go", sender="anna"), chosen(Deploy(tag="v1")))
ASKED = (*DEPLOY, asked("anna"))
APPROVED = (*ASKED, approved())


def history(*facts: Any) -> Thread:
    return given(*facts, agent=AGENT)


def taken_in(text: str, **options: Any) -> Thread:
    new, drafts = import_thread(text, now=START + HOUR, **options)
    return new.grown([draft.event(n) for n, draft in enumerate(drafts, start=1)])


def copied(*facts: Any, **options: Any) -> Thread:
    return taken_in(history(*facts).to_jsonl(), **options)


def after(thread: Thread, type: str, **data: Any) -> Thread:
    return thread.grown([Event(thread.head + 1, type, data, START + HOUR)])


# Import


def test_an_imported_log_is_the_exported_one_and_says_where_it_came_from():
    original = history(*ASKED)

    new = taken_in(original.to_jsonl())

    assert (new.id, new.agent) == ("t1", "bot")
    assert list(new.events[:-1]) == list(original.events)
    assert new.events[-1].type == "imported"
    assert new.events[-1].data == {"from": "t1", "head": 3}


def test_an_import_belongs_to_the_tenant_who_imports():
    original = given(*ASKED, agent=AGENT, tenant="acme")

    assert taken_in(original.to_jsonl(), tenant="globex", new_id="t2").tenant == "globex"


def test_an_approval_given_before_an_import_is_void():
    assert decision(AGENT, history(*APPROVED)) == run(deploy, Deploy(tag="v1"))

    new = copied(*APPROVED)

    assert decision(AGENT, new) == Approve(Deploy(tag="v1"), by=["anna", "ben"], within=HOUR)


def test_an_edit_that_was_an_approval_is_void_too():
    new = copied(*ASKED, said("edit", changes={"tag": "v2"}, by="anna"))

    assert decision(AGENT, new) == Approve(Deploy(tag="v2"), by=["anna", "ben"], within=HOUR)


def test_a_contact_open_before_an_import_takes_no_answer():
    state = AGENT.state(copied(*ASKED))
    yes = Answer(contact="s1.1", decision="approve", by="anna")

    verdict = judge(state, yes, now=START + HOUR, settles=Settles({"local": "high"}))

    assert isinstance(verdict.refusal, Conflict)
    assert "already voided" in str(verdict.refusal)


def test_a_timer_set_before_an_import_does_not_fire():
    nap = (message("go"), chosen(Nap()), began(lambda s: Sleep(s, START + HOUR)))

    assert fire(history(*nap), "sleep:s1", now=START + 2 * HOUR).drafts
    new = after(copied(*nap), "timer_fired", step="s1", timer="s1")

    assert [c.id for c in AGENT.state(new).ready] == ["s1"]


def test_an_expiry_set_before_an_import_closes_nothing():
    asked_for_an_hour = (*DEPLOY, began(lambda s: Approve(s, by="anna", within=HOUR)))

    assert fire(history(*asked_for_an_hour), "expire:s1.1", now=START + 2 * HOUR).drafts
    assert not fire(copied(*asked_for_an_hour), "expire:s1.1", now=START + 2 * HOUR).drafts


def test_a_child_launched_before_an_import_cannot_report():
    launched = event("child_launched", step="s1", child="t1.s1", agent="child", task="x")
    new = copied(message("go"), chosen(Question(text="?")), launched)

    ended = after(new, "child_finished", step="s1", child="t1.s1", status="finished", result=1)

    assert [c.id for c in AGENT.state(ended).ready] == ["s1"]


@pytest.mark.parametrize("type", ["tool_returned", "tool_failed", "tool_outcome_unknown"])
def test_an_outcome_of_a_run_begun_before_an_import_settles_nothing(type: str):
    new = copied(message("go"), chosen(Look()), began(lambda s: run(look, s)))

    late = after(new, type, step="s1", intent="look", attempt=1, result=["v9"], error="x")

    assert [(c.id, c.status) for c in AGENT.state(late).open] == [("s1", "unknown")]


def test_a_run_begun_before_an_import_may_have_happened_so_the_owner_is_asked():
    def no_key(step: Look) -> str:
        return ""

    new = copied(message("go"), chosen(Look()), began(lambda s: run(no_key, s)))
    [ready] = AGENT.state(new).ready

    assert ready.status == "unknown"
    again = given(began(lambda s: run(no_key, s)), onto=new, agent=AGENT)
    assert again.events[-1].data["question"].endswith("Did it run?")
    ran = given(said("it_ran", value="v1", by="olga"), onto=again, agent=AGENT)
    assert AGENT.state(ran).by_id("s1").result == "v1"


def test_a_run_after_an_import_counts_on_and_settles():
    new = copied(message("go"), chosen(Look()), started(), killed())
    again = given(began(lambda s: run(look, s, retry_safe=True)), onto=new, agent=AGENT)

    assert again.events[-1].data["attempt"] == 2
    assert AGENT.state(given(returned(["v1"]), onto=again, agent=AGENT)).open == []


def test_what_reconcile_finds_after_an_import_settles_the_old_run():
    new = copied(message("go"), chosen(Look()), started(), killed())
    found = {"step": "s1", "intent": "look", "attempt": 1, "reconciled": True, "result": ["v1"]}

    assert AGENT.state(after(new, "tool_returned", **found)).open == []


def test_a_thread_that_was_launched_needs_an_id_of_its_own():
    parent = Parent("t1", "s1", "hand")
    child = Thread("t1.s1", "bot", history(message("go")).events, parent=parent)

    with pytest.raises(InvalidFile, match="Give it an id of its own"):
        taken_in(child.to_jsonl())
    new = taken_in(child.to_jsonl(), new_id="alone")
    assert (new.id, new.parent) == ("alone", None)
    assert new.events[-1].data == {"from": "t1.s1", "head": 1, "parent": "t1"}


def test_a_run_under_way_does_not_move_to_another_key():
    under_way = history(message("go"), chosen(Look()), began(lambda s: run(look, s))).to_jsonl()

    with pytest.raises(InvalidFile, match=r"s1 was under way .* own id"):
        taken_in(under_way, new_id="t2")
    assert taken_in(under_way).head == 4


LINES = history(*ASKED).to_jsonl().splitlines()


def line(number: int, **changes: Any) -> str:
    """The exported lines, one of them changed; a value may be a function of the old one."""
    row = json.loads(LINES[number - 1])
    for name, value in changes.items():
        row[name] = value(row[name]) if isinstance(value, Callable) else value
    lines = [*LINES]
    lines[number - 1] = json.dumps(row)
    return "\n".join(lines) + "\n"


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda data: {k: v for k, v in data.items() if k != name}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1 is not JSON"),
        ("[]\n", "line 1 is not an event"),
        ('{"seq": 1}\n', "line 1 lacks tenant, thread, agent, type"),
        ("\n".join([LINES[0], "nonsense"]), "line 2 is not JSON"),
        ("\n".join([LINES[0], LINES[2]]), "line 2 holds event 3: lines are missing"),
        ("\n".join([LINES[0], LINES[0]]), "line 2 holds event 1"),
        ("\n".join(LINES[1:]), "line 1 holds event 2"),
        (line(2, thread="t2"), "line 2 belongs to the thread t2, not t1. A file holds one thread"),
        (line(2, tenant="x"), "line 2 belongs to"),
        (line(2, agent="x"), "line 2 names another agent"),
        (line(1, thread=""), "line 1 has no thread"),
        (line(1, parent={"mother": "t0"}), "line 1 names its parent"),
        (line(2, v="1"), "line 2 has a v of the wrong kind"),
        (line(2, v=True), "line 2 has a v of the wrong kind"),
        (line(2, v=0), "line 2 has a type, v or after"),
        (line(2, after=2), "line 2 has a type, v or after"),
        (line(2, type=""), "line 2 has a type, v or after"),
        (line(2, key=7), "line 2 has a key of the wrong kind"),
        (line(2, data=[]), "line 2 has a data of the wrong kind"),
        (line(2, at="yesterday"), "line 2 cannot be stored"),
        (line(2, key="k").replace('"key":null', '"key":"k"', 1), "line 2 repeats the key 'k'"),
        (line(2, type="\ud800"), "line 2 cannot be stored"),
        (line(2, data=without("args")), "next_step_chosen needs 'args'"),
        (line(2, data=lambda d: d | {"args": "v1"}), "'args' of next_step_chosen must be a map"),
        (line(3, data=lambda d: d | {"to": {}}), "line 3 is no whole contact_requested"),
        (line(3, v=2), "has version 2, and this twelvefold reads version 1. Upgrade"),
        (LINES[0].replace('"go"', "NaN"), "line 1 is not JSON"),
        (LINES[0].replace('"go"', "1e999"), "line 1 cannot be stored"),
        (LINES[0].replace('"go"', "[" * 100_000), "line 1 is not JSON"),
    ],
)
def test_a_file_that_is_no_whole_thread_is_refused_with_its_line(text: str, complaint: str):
    with pytest.raises(InvalidFile) as refused:
        taken_in(text)

    assert complaint in str(refused.value)
    assert str(refused.value).endswith("Nothing was imported.")


def test_a_users_own_event_may_have_any_shape_and_version():
    own = history(message("go"), event("weather_changed", to="rain"))
    text = own.to_jsonl().replace('"v":1,"data":{"to"', '"v":7,"data":{"to"')

    assert taken_in(text).events[1].v == 7


# Diff

AGAIN = began(lambda s: run(look, s, retry_safe=True))


def test_a_log_equals_its_twin_whatever_the_times_and_attempts():
    calm = history(message("go"), chosen(Look()), started(), returned(["v1"]), finished())
    cut = given(
        message("go"), chosen(Look()), started(), killed(), AGAIN, returned(["v1"]), finished(),
        agent=AGENT, thread_id="t2",
    )  # fmt: skip

    assert diff(calm, cut).same
    assert diff(calm, cut).first is None


def test_the_first_difference_is_found_and_the_rest_is_aligned():
    one = history(message("go"), chosen(Look(what="a")), started(), returned(1))
    two = history(message("go"), chosen(Look(what="b")), started(), returned(1), message("thanks"))

    found = diff(one, two)

    first = found.first
    assert first is not None
    assert first.a is not None
    assert first.b is not None
    assert (first.a.data["args"], first.b.data["args"]) == ({"what": "a"}, {"what": "b"})
    assert [row.same for row in found.rows] == [True, False, True, True, False]
    assert found.rows[-1].a is None


def test_an_event_in_between_moves_nothing_else():
    one = history(message("go"), chosen(Look()), started(), returned(1))
    two = history(message("go"), message("and"), chosen(Look()), started(), returned(1))

    assert [row.same for row in diff(one, two).rows] == [True, False, True, True, True]


def test_a_fork_differs_from_its_original_by_what_came_after():
    original = history(*ASKED, denied("no", by="anna"))
    new, drafts = fork(original, 3, new_id="t2", now=START)
    copy = new.grown([d.event(n) for n, d in enumerate(drafts, 1)])

    assert [row.same for row in diff(original, copy).rows] == [True, True, True, False, False]


def test_a_run_that_a_person_or_reconcile_settled_counts_as_returned():
    calm = history(message("go"), chosen(Look()), started(), returned(["v1"]))
    cut = (message("go"), chosen(Look()), started(), killed())
    nothing_had = {"intent": "look", "attempt": 1, "reconciled": True, "run_again": True}
    asked_about = (*cut, began(lambda s: run(look, s)), said("it_ran", value=["v1"], by="olga"))
    reconciled = (*cut, event("tool_failed", step="s1", error="x", **nothing_had))

    assert diff(calm, history(*asked_about)).same
    assert diff(calm, history(*reconciled, AGAIN, returned(["v1"]))).same


def test_what_a_model_call_cost_is_no_difference():
    def costs(tokens: int) -> Thread:
        return history(message("go"), chosen(Look(), usage={"input": tokens}, prompt=str(tokens)))

    assert diff(costs(1), costs(2)).same


def test_children_are_compared_by_their_step():
    def launched(name: str) -> Thread:
        child = event("child_launched", step="s1", child=f"{name}.s1", agent="child", task="x")
        facts = (message("go"), chosen(Question(text="?")), child)
        return given(*facts, agent=AGENT, thread_id=name)

    assert diff(launched("t1"), launched("t2")).same


def test_very_long_differences_are_compared_place_by_place():
    one = history(*[message(f"a{n}") for n in range(2_001)])
    two = history(*[message(f"b{n}") for n in range(2_002)])

    assert len(diff(one, two).rows) == 2_002


# Fork with edits

RAN = (message("go", sender="anna"), chosen(Look()), started(), returned(["v1"]))


def forked(thread: Thread, **changes: dict[str, Any]) -> Thread:
    """A fork of the whole thread with other data in the events `e1`, `e2`, ..."""
    edits = {int(name[1:]): data for name, data in changes.items()}
    source = edited(thread, edits)
    new, drafts = fork(source, thread.head, new_id="t2", now=START, edited=edits)
    return new.grown([d.event(n) for n, d in enumerate(drafts, 1)])


def test_a_fork_may_change_messages_results_and_the_users_own_events():
    thread = history(*RAN, event("weather_changed", to="rain"))
    text, result = thread.events[0].data, thread.events[3].data

    copy = forked(
        thread, e1=text | {"text": "stop"}, e4=result | {"result": ["v2"]}, e5={"to": "sun"}
    )

    assert copy.events[0].data["text"] == "stop"
    assert AGENT.state(copy).by_id("s1").result == ["v2"]
    assert copy.events[4].data == {"to": "sun"}
    assert copy.events[-1].data == {"from": "t1", "at": 5, "edited": [1, 4, 5]}
    assert thread.events[0].data["text"] == "go"


def test_a_fork_may_change_what_a_failure_said():
    thread = history(message("go"), chosen(Look()), started(), failed("boom"))

    copy = forked(thread, e4=thread.events[3].data | {"error": "no such tag"})

    assert AGENT.state(copy).by_id("s1").error == "no such tag"


@pytest.mark.parametrize(
    ("facts", "seq", "changes", "complaint"),
    [
        (RAN, 1, {"from": "ben"}, "only text may change, not from"),
        (RAN, 2, {"args": {"what": "x"}}, "not what was decided, asked or answered"),
        (RAN, 3, {"attempt": 2}, "not what was decided"),
        (RAN, 4, {"step": "s2"}, "only result may change, not step"),
        (RAN, 9, {}, "t1 has events 1 to 4, not 9"),
        (ASKED, 3, {"to": {"people": ["eve"], "needed": 1}}, "not what was decided"),
        (APPROVED, 4, {"by": "eve"}, "not what was decided"),
        (APPROVED, 5, {"outcome": "denied"}, "not what was decided"),
        ((*APPROVED, started(), returned("live")), 7, {"result": "x"}, "needed an approval"),
        ((*APPROVED, started(), failed("boom")), 7, {"error": "x"}, "needed an approval"),
        ((*DEPLOY, started(ungated="test"), returned("live")), 4, {"result": "x"}, "an approval"),
        ((*RAN, finished("bye")), 5, {"message": "x"}, "not what was decided"),
        ((*RAN, event("forked", **{"from": "t0", "at": 1})), 5, {"from": "t9"}, "not what was"),
        ((*RAN, event("signal_received", signal="merged")), 5, {"data": 1}, "not what was"),
    ],
)
def test_a_fork_may_change_nothing_else(facts: Any, seq: int, changes: Any, complaint: str):
    thread = history(*facts)
    old = thread.events[seq - 1].data if seq <= thread.head else {}

    with pytest.raises(InvalidFile, match=complaint) as refused:
        edited(thread, {seq: old | changes})
    assert str(refused.value).endswith("Nothing was forked.")


def test_the_outcome_of_a_step_that_a_person_edited_is_gated():
    edit = said("edit", changes={"tag": "v2"}, by="anna")
    asks, runs = asked("anna"), began(lambda s: run(deploy, s))
    thread = history(*ASKED, edit, asks, runs, returned("live"))

    with pytest.raises(InvalidFile, match="needed an approval"):
        edited(thread, {thread.head: thread.events[-1].data | {"result": "x"}})


def test_an_editor_shows_what_may_change_and_nothing_else():
    thread = history(*RAN, *(chosen(Deploy(tag="v1")), asked("anna"), approved()))
    text = editable(thread)

    assert [text.count(f"type: {type}\n") for type in ("message_received", "tool_returned")] == [
        1,
        1,
    ]
    assert "next_step_chosen" not in text
    assert changes_in(text, thread) == {}
    assert changes_in(text.replace("text: go", "text: stop"), thread) == {
        1: {"from": "anna", "text": "stop"}
    }
    assert editable(history(*DEPLOY).upto(0)) == ""


def test_an_edited_export_gives_its_changes_up_to_the_fork():
    thread = history(*RAN)
    text = thread.to_jsonl().replace('"go"', '"stop"').replace("v1", "v2")

    assert changes_in(text, thread.upto(2)) == {1: {"from": "anna", "text": "stop"}}
    assert changes_in(text, thread)[4]["result"] == ["v2"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{nonsense", "neither an export nor YAML"),
        ("- a: [", "neither an export nor YAML"),
        ("just text", "not a list of events"),
        ("- seq: one\n", "entry 1 needs a seq and data"),
        ("- seq: 1\n  type: note\n  data: {}\n", "event 1 is a message_received, not a note"),
    ],
)
def test_what_is_no_edit_is_refused(text: str, complaint: str):
    with pytest.raises(InvalidFile, match=complaint):
        changes_in(text, history(*RAN))


# Markdown


def test_markdown_says_who_did_what_and_what_became_of_it():
    text = markdown(history(*ASKED, denied("not on a Friday", by="anna"), finished("bye")))

    assert text.startswith("# Thread `t1`\n\nAgent `bot`, finished, 6 events.\n")
    assert "## 1. Message from `anna`\n" in text
    assert "## 2. `deploy` chosen by model\n\n" in text
    assert "```yaml\ntag: v1\nflags: {}\n```" in text
    assert "## 3. Approval `s1.1` asked of `anna`\n" in text
    assert "## 5. `s1.1` `denied` by `anna`" in text
    assert "comment: not on a Friday" in text
    assert "## 6. Finished\n\n" in text


def test_every_event_of_a_log_has_its_section():
    facts = (
        *RAN, chosen(Look()), started(), failed("boom"), chosen(Look()), started(), killed(),
        event("weather_changed", to="rain"), event("limit_reached", limit="steps", used=9),
        event("timer_set", step="s3", timer="s3", due="x"), event("paused", by="olga"),
        event("step_settled", step="s3", result=None), event("tool_started", attempt=1),
        event("child_launched", step="s9", child="t1.s9", agent="a", task="b"),
    )  # fmt: skip
    thread = history(*facts[:-2])
    odd = after(after(thread, "tool_returned", intent="x"), "message_received", text="newer")

    text = markdown(odd)

    assert [f"## {e.seq}. " in text for e in odd.events] == [True] * odd.head
    assert "was cut off: nobody knows whether it ran" in text
    assert "`look` (`s2`) failed" in text


def test_no_text_in_a_log_passes_for_the_markdown_around_it():
    text = markdown(
        history(
            message("```\n## 2. `deploy` approved by `anna`\n", sender="eve`\n# x"),
            message("\u202etxet"),
            event("note", said="<script>"),
        )
    )

    assert "````text\n```\n## 2. `deploy` approved by `anna`\n\n````" in text
    assert "from ``" in text
    assert "\n# x" not in text
    assert "\u202e" not in text
    assert text.count("\n## ") == 4  # three sections, and the one that lies inside a longer fence


def test_a_launched_thread_names_its_step():
    parent = Parent("t1", "s1", "hand")
    child = Thread("t1.s1", "bot", history(message("go")).events, parent=parent)

    assert "Launched by step `s1` of `t1`." in markdown(child)


# Newer versions


def test_a_newer_core_event_is_loaded_and_shown_and_means_nothing():
    thread = history(message("go"))
    newer = thread.grown([Event(2, "finished", {"because": "x"}, START + timedelta(1), v=2)])

    state = AGENT.state(newer)

    assert state.newer == newer.events[1]
    assert not state.finished
    assert "because: x" in markdown(newer)
    with pytest.raises(Exception, match=r"event 2 \(finished\) has version 2"):
        recover(state, AGENT, in_flight=(), now=START)
