"""Given these facts, what does the agent decide? No model, no store, no tool is touched."""

import pytest
from twelvefold import Approve, AskModel, Choose, Finish, Settle, Wait, run
from twelvefold.directory import Directory
from twelvefold.intents import DoneForNow, RequestHumanInput
from twelvefold.steps import members
from twelvefold.testing import (
    approved,
    asked,
    chosen,
    decision,
    denied,
    edited,
    failed,
    given,
    message,
    returned,
    started,
)

from agent import DAY, OPS, STUCK, AnyStep
from app import app
from tools import DeployBackend, DeployFrontend, ListReleases, deploy, list_releases

BOT = app.agent("deploybot")
PEOPLE = Directory(roles={"ops": ["anna", "ben"]})
BACKEND = DeployBackend(tag="v1.4.0")
LAUNCHED = given(message("deploy the newest release"), agent=BOT)
LISTED = given(
    *(chosen(ListReleases(), by="code"), started(), returned(["v1.4.0", "v1.3.2"])),
    onto=LAUNCHED,
    agent=BOT,
)
ASKED = given(chosen(BACKEND), asked(OPS, within=DAY), onto=LISTED, agent=BOT, directory=PEOPLE)
EXAMPLES = [
    ListReleases(),
    BACKEND,
    DeployFrontend(tag="v1.4.0"),
    RequestHumanInput(question="Which one?"),
    DoneForNow(message="It is live."),
]


def test_the_releases_are_listed_before_a_model_is_asked():
    assert decision(BOT, LAUNCHED) == Choose(ListReleases())
    assert isinstance(decision(BOT, LISTED), AskModel)


def test_listing_needs_nobody():
    thread = given(chosen(ListReleases(), by="code"), onto=LAUNCHED, agent=BOT)

    assert decision(BOT, thread) == run(list_releases, ListReleases(), retry_safe=True)


def test_a_deploy_waits_for_ops():
    thread = given(chosen(BACKEND), onto=LISTED, agent=BOT)

    assert decision(BOT, thread) == Approve(BACKEND, by=OPS, within=DAY)
    assert decision(BOT, ASKED) == Wait()


@pytest.mark.parametrize("person", ["anna", "ben"])
def test_a_yes_of_one_of_them_runs_it(person: str):
    thread = given(approved(by=person), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert decision(BOT, thread) == run(deploy, BACKEND, retry_safe=True)


def test_a_yes_of_somebody_else_runs_nothing():
    thread = given(approved(by="carl"), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert decision(BOT, thread) == Wait()


def test_after_a_no_the_model_is_asked_again():
    thread = given(denied("not now", by="ben"), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert isinstance(decision(BOT, thread), AskModel)


def test_what_is_no_release_is_refused_by_code_even_when_a_person_writes_it():
    thread = given(edited(by="anna", tag="v9"), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert decision(BOT, thread) == Settle(DeployBackend(tag="v9"), "refused: v9 is no release")


def test_three_failures_and_a_person_is_asked_instead_of_the_model():
    thread = LAUNCHED
    for _ in range(3):
        facts = (chosen(ListReleases(), by="code"), started(), failed("no connection"))
        thread = given(*facts, onto=thread, agent=BOT)

    question = RequestHumanInput(question=STUCK, context="list_releases: no connection")
    assert decision(BOT, thread) == Choose(question)


def test_done_is_the_end():
    done = DoneForNow(message="v1.4.0 is live.")
    thread = given(chosen(done), onto=LISTED, agent=BOT)

    assert decision(BOT, thread) == Finish("v1.4.0 is live.", done)


def test_each_step_of_the_union_has_an_example_above_and_a_case_in_carry_out():
    assert {type(step) for step in EXAMPLES} == {*members(AnyStep).values()}
    for step in EXAMPLES:  # `decision` raises where nothing is decided, and names the step
        assert decision(BOT, given(chosen(step), onto=LISTED, agent=BOT)) != Wait()
