"""What a case proves: the decision, the reading of a reply, and what is decided then."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from worlds import AGENTS, BOT, Add, AskPerson, Deploy, one, verdict

from twelvefold import Agent, Approve, AskModel, Choose, Effect, Limits, Settle, State, Thread
from twelvefold.cases import judge, stand
from twelvefold.exceptions import InvalidCase, UnknownAgent
from twelvefold.messages import ModelReply
from twelvefold.plan import REFUSALS
from twelvefold.tools import REASONS

HI = "- name: c\n  thread: [message: add 1 and 2]\n"
ASKED = "- name: c\n  thread:\n  - message: ship it\n  - chose: {intent: deploy, tag: v1}\n"
ADD = '{"intent": "add", "a": 6, "b": 12}'


def complaints(text: str, *, reply: str | None = None) -> list[str]:
    return [said for said in verdict(text, reply=reply).complaints if "reply was" not in said]


# What code decides


@pytest.mark.parametrize(
    "expected", ["effect: Approve deploy", "effect: Approve deploy, waits: true", "waits: true"]
)
def test_a_decision_needs_no_model(expected: str):
    assert complaints(ASKED + f"  expect: {{{expected}}}\n") == []


def test_another_decision_is_said_with_what_was_expected():
    [said] = complaints(ASKED + "  expect: {effect: Run deploy}\n")

    assert said == "effect\n  - expected  Run deploy\n  + got       Approve deploy"


def test_a_model_that_is_asked_is_an_effect_too():
    assert complaints(HI + "  expect: {effect: AskModel, waits: false}\n") == []


@pytest.mark.parametrize(
    ("effect", "passes"),
    [
        ("AskModel", True),
        ("Settle add > AskModel", True),
        ("Choose add > Settle add > AskModel", True),
        ("Choose add", False),
        ("Choose add > AskModel", False),
    ],
)
def test_an_effect_may_be_said_with_what_led_to_it(effect: str, passes: bool):
    def decide(thread: Thread, state: State[Add]) -> Effect[Add]:
        if state.ready:
            return Settle(state.ready[0].step)
        return Choose(Add(a=1, b=2)) if state.last(Add) is None else AskModel("go", Add)

    agents = {"bot": Agent("bot", decide, Add, owner="anna")}
    case = one(HI + f"  expect: {{effect: {effect}}}\n")
    assert judge(stand(case, agents)).passed is passes


# What the model replied


@pytest.mark.parametrize(
    "expect",
    [
        "intent: add",
        "args: {a: 6, b: 12, note: ''}",
        "has: {b: 12}",
        "assert: 'intent == \"add\" and a == 6 and b == 12'",
        "assert: ['a < b', 'args.a == a']",
        "then: Run add",
        "intent: add, has: {a: 6}, then: Run add",
    ],
)
def test_a_reply_that_is_as_expected_passes(expect: str):
    assert complaints(HI + f"  expect: {{{expect}}}\n", reply=ADD) == []


def test_a_list_of_asserts_names_the_one_that_does_not_hold():
    [said] = complaints(HI + "  expect: {assert: [a == 6, b == 13]}\n", reply=ADD)

    assert said == "assert b == 13\n  b is 12"


def test_a_difference_names_the_argument():
    expected = "{args: {a: 6, b: 13, c: 1, note: ''}, intent: deploy}"
    said = complaints(HI + f"  expect: {expected}\n", reply=ADD)

    assert said == [
        "intent\n  - expected  deploy\n  + got       add",
        "args.b\n  - expected  13\n  + got       12",
        "args.c\n  - expected  1\n  + got       (nothing)",
    ]


def test_arguments_that_are_left_out_are_named_with_the_line_to_write():
    said = complaints(HI + "  expect: {args: {a: 6, b: 12}}\n", reply=ADD)

    assert said == [
        "args leaves out note, and it is for all of them, defaults too. Write\n"
        "    args: {a: 6, b: 12, note: ''}\n"
        "  or, for some of them\n"
        "    has: {a: 6, b: 12}"
    ]
    line = said[0].splitlines()[1].strip()
    assert complaints(HI + f"  expect: {{{line}}}\n", reply=ADD) == []
    assert complaints(HI + "  expect: {has: {a: 6, b: 12}}\n", reply=ADD) == []


def test_no_argument_is_some_of_them_only_by_leaving_args_away():
    [said] = complaints(HI + "  expect: {args: {}}\n", reply=ADD)

    assert said.endswith("Write\n    args: {a: 6, b: 12, note: ''}")


def test_a_chosen_step_without_an_argument_is_told_with_the_line_to_write():
    chose = "- name: c\n  thread:\n  - message: hi\n  - chose: {intent: add, b: 2}\n"

    with pytest.raises(InvalidCase) as refused:
        verdict(chose + "  expect: {waits: true}\n")
    with pytest.raises(InvalidCase) as wrong:
        verdict(chose.replace("b: 2", "a: x, b: 2") + "  expect: {waits: true}\n")

    said = str(refused.value)
    assert "line 4, case 'c': chose: " in said
    assert said.endswith("a: Field required. Write\n    - chose: {intent: add, b: 2, a: ...}")
    assert "Write" not in str(wrong.value)


def test_some_arguments_are_some_also_inside_of_lists_and_maps():
    reply = '{"intent": "deploy", "tag": "v1", "regions": ["eu", "us"]}'

    assert complaints(HI + "  expect: {has: {regions: [eu, us]}}\n", reply=reply) == []
    [said] = complaints(HI + "  expect: {has: {regions: [eu, ap]}}\n", reply=reply)
    assert said.startswith("args.regions.1")
    [said] = complaints(HI + "  expect: {has: {regions: [eu]}}\n", reply=reply)
    assert said.startswith("args.regions\n")


def test_true_is_not_one():
    [said] = complaints(HI + "  expect: {has: {a: true}}\n", reply='{"intent":"add","a":1,"b":2}')

    assert said == "args.a\n  - expected  true\n  + got       1"


def test_what_follows_the_reply_is_decided_by_the_agents_own_code():
    reply = '{"intent": "deploy", "tag": "v1"}'

    assert complaints(HI + "  expect: {then: Approve deploy}\n", reply=reply) == []
    [said] = complaints(HI + "  expect: {then: Run deploy}\n", reply=reply)
    assert said == "then\n  - expected  Run deploy\n  + got       Approve deploy"


def test_a_refused_reply_may_be_what_is_expected():
    text = HI + "  expect: {refused: unknown_intent, then: AskModel}\n"

    assert complaints(text, reply='{"intent": "rm"}') == []
    [said] = complaints(text, reply=ADD)
    assert "expected  refused: unknown_intent" in said


def test_a_reply_that_cannot_be_read_says_why_and_what_it_was():
    found = verdict(HI + "  expect: {intent: add}\n", reply='{"intent": "rm"}')

    assert "unknown_intent" in found.complaints[0]
    assert found.complaints[-1] == 'the reply was\n  {"intent": "rm"}'


def test_a_model_that_is_not_asked_is_said():
    [said] = complaints(ASKED + "  expect: {intent: add}\n", reply=ADD)

    assert "is not: the agent decides Approve deploy" in said


def test_other_bytes_than_the_recorded_ones_are_said():
    case = one(HI + f"  prompt: {'f' * 64}\n  expect: {{intent: add}}\n")
    said = judge(stand(case, AGENTS), ModelReply(ADD)).complaints

    assert said[0].startswith(f"prompt\n  - expected  {'f' * 64}")
    assert "--accept-prompts" in said[0]


def test_an_empty_reply_is_refused_as_a_thread_would():
    assert complaints(HI + "  reply: ''\n  expect: {refused: empty}\n") == []


def test_every_reason_that_the_page_of_parsing_names_may_be_expected():
    page = (Path(__file__).parents[2] / "docs/parsing.md").read_text(encoding="utf-8")
    table = page.partition("| reason | the reply |")[2].partition("\n\n")[0]

    assert tuple(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == REASONS
    for reason in REFUSALS:
        one(HI + f"  expect: {{refused: {reason}}}\n")


def test_a_truncated_reply_is_refused_whatever_it_says():
    case = one(HI + "  expect: {refused: truncated}\n")

    assert judge(stand(case, AGENTS), ModelReply(ADD, finish="truncated")).passed


# Facts


def test_facts_go_through_the_agents_own_code():
    text = ASKED + (
        "  - denied: use v2\n"
        "  - chose: {intent: deploy, tag: v2}\n"
        "  - approved: {by: ben}\n"
        "  - returned: v2 is live\n"
        "  - chose: {intent: ask_person, question: More}\n"
        "  - answered: no\n"
        "  - event: {type: noted, data: {text: hm}}\n"
        "  expect: {effect: AskModel}\n"
    )
    at = stand(one(text), AGENTS)

    assert [e.type for e in at.decided.thread.events] == [
        *("message_received", "next_step_chosen", "contact_requested"),
        *("contact_answered", "contact_closed", "next_step_chosen", "contact_requested"),
        *("contact_answered", "contact_closed", "tool_started", "tool_returned"),
        *("next_step_chosen", "contact_requested", "contact_answered", "contact_closed", "noted"),
    ]
    asked = BOT.state(at.decided.thread).last(AskPerson)
    assert asked is not None
    assert asked.result == "no"


def test_an_approval_says_whose_it_is_or_what_was_said():
    expected = "  expect: {effect: Run deploy}\n"

    with pytest.raises(
        InvalidCase, match=r"approved: who says so, as \{by: ben\}, or what is said"
    ):
        stand(one(ASKED + "  - approved: ben\n" + expected), AGENTS)
    assert complaints(ASKED + "  - approved: {says: go}\n" + expected) == []


def test_an_edit_a_failure_and_a_second_message_are_facts():
    text = ASKED + (
        "  - edited: {tag: v3}\n  - failed: no network\n  - message: {text: again, from: ben}\n"
        "  expect: {effect: AskModel}\n"
    )
    events = stand(one(text), AGENTS).decided.thread.events

    assert events[-2].data["error"] == "no network"
    assert events[-1].data == {"text": "again", "from": "ben"}


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        ("returned: 7", "no tool is under way: the agent decided AskModel"),
        ("approved", "nobody is asked anything here"),
        ("chose: {intent: rm}", "The intent 'rm' is not one of"),
        ("event: 7", "an event is a map with its `type`"),
    ],
)
def test_a_fact_that_cannot_happen_there_is_refused(fact: str, why: str):
    with pytest.raises(InvalidCase) as raised:
        verdict(f"- name: c\n  thread:\n  - message: hi\n  - {fact}\n  expect: {{waits: true}}\n")

    assert "x.cases.yaml, line 4, case 'c'" in str(raised.value)
    assert why in str(raised.value)


def test_a_person_who_may_not_decide_cannot_in_a_case_either():
    with pytest.raises(InvalidCase, match="mallory"):
        verdict(ASKED + "  - approved: {by: mallory}\n  expect: {waits: true}\n")


def test_a_second_choice_while_people_are_asked_cannot_be():
    with pytest.raises(InvalidCase, match="not asked for a step here: the agent decided Approve"):
        verdict(ASKED + "  - chose: {intent: add, a: 1, b: 2}\n  expect: {waits: true}\n")


# Agents


def test_a_case_names_its_agent_where_there_are_several():
    with pytest.raises(InvalidCase, match="name its agent; the application has: a, b"):
        stand(one(HI + "  expect: {waits: true}\n"), {"a": BOT, "b": BOT})


def test_an_agent_that_is_not_there_is_said():
    with pytest.raises(UnknownAgent, match="line 1, case 'c': there is no agent 'nobody'"):
        stand(one(HI + "  agent: nobody\n  expect: {waits: true}\n"), AGENTS)


def test_a_signal_is_a_fact_by_its_name_or_with_its_data():
    text = "- name: c\n  thread:\n  - message: hi\n  - signal: merged\n"
    text += "  - signal: {signal: built, data: {sha: 4af9ec0}}\n  expect: {effect: AskModel}\n"
    events = stand(one(text), AGENTS).decided.thread.events

    assert [event.data for event in events[1:]] == [
        {"signal": "merged", "data": None},
        {"signal": "built", "data": {"sha": "4af9ec0"}},
    ]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("{type: paused, data: {by: anna}}", "stopped: paused"),
        ("{type: cancelled, data: {by: anna}}", "stopped: cancelled"),
        ("{type: advance_failed, data: {error: no}}", "stopped: it failed: no"),
        ("{type: limit_reached, data: {limit: steps, used: 1, allowed: 1}}", "limit is reached"),
    ],
)
def test_a_thread_that_is_stopped_says_why_it_asks_nobody(event: str, why: str):
    head = f"- name: c\n  thread:\n  - message: hi\n  - event: {event}\n"

    assert complaints(head + "  expect: {waits: true}\n") == []
    [said] = complaints(head + "  expect: {intent: add}\n", reply=ADD)
    assert why in said


def test_a_decide_that_never_waits_is_said():
    def decide(thread: Thread, state: State[Add]) -> Effect[Add]:
        return Choose(Add(a=1, b=2))

    agents = {"bot": Agent("bot", decide, Add, owner="anna")}
    case = one(HI + "  expect: {intent: add}\n")
    assert "Choose add" in judge(stand(case, agents), ModelReply(ADD)).complaints[0]


def test_a_prompt_that_nobody_reads_is_said():
    found = verdict(ASKED + f"  prompt: {'f' * 64}\n  expect: {{waits: true}}\n")

    assert found.complaints == (
        "prompt\n  - expected  the model reads something\n  + got       it is not asked",
    )


def test_a_model_that_a_limit_keeps_from_being_asked_is_not_asked():
    agents = {"bot": replace(BOT, limits=Limits(steps=1))}
    text = "- name: c\n  thread:\n  - message: hi\n  - chose: {intent: add, a: 1, b: 2}\n"
    case = one(text + "  - returned: 3\n  expect: {effect: AskModel}\n")

    [said] = judge(stand(case, agents)).complaints
    assert said.endswith("got       stopped: a limit is reached: steps")


def test_a_model_that_must_wait_for_a_person_is_not_asked():
    def decide(thread: Thread, state: State[Deploy]) -> Effect[Deploy]:
        return Approve(state.ready[0].step, by="anna") if state.ready else AskModel("go", Deploy)

    agents = {"bot": Agent("bot", decide, Deploy, owner="anna")}
    assert judge(stand(one(ASKED + "  expect: {effect: Approve deploy}\n"), agents)).passed
    assert not judge(stand(one(ASKED + "  expect: {effect: AskModel}\n"), agents)).passed
