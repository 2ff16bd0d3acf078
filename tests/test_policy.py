"""Who may decide, how many are needed, and what a proof of identity may settle."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import ConfigurationError, WrongDecision
from twelvefold.policy import (
    Policy,
    Role,
    Settles,
    all_of,
    any_of,
    at_least,
    checked_policy,
    not_an_initiator,
    policy_of,
    role,
)
from twelvefold.thread import from_text, to_text

OPS = Directory(
    roles={"ops": ["anna", "ben"], "finance": ["anna", "Cleo@example.com"], "empty": ["zoe"]},
    addresses={"anna": {"email": "anna@example.com"}, "cleo": {"email": "cleo@example.com"}},
    people=["anna", "ben", "cleo"],
)


def test_a_name_is_a_policy_of_one():
    assert policy_of("anna") == Policy(("anna",))
    assert policy_of(["anna", "ben"]) == Policy(("anna", "ben"))
    assert policy_of(Policy(("anna",))) == Policy(("anna",))
    assert policy_of(role("ops")) == Policy((Role("ops"),))


@pytest.mark.parametrize(
    "by",
    [
        "",
        [],
        [""],
        ["anna", ""],
        Policy(()),
        Policy(("anna", "anna"), needed=2),
        Policy(("anna", "Anna"), needed=2),
        Policy(("anna",), needed=0),
        role(""),
        all_of(),
        all_of("anna", any_of()),
        at_least(3, "anna", "ben"),
    ],
)
def test_a_policy_that_nobody_can_meet_is_refused(by: Any):
    with pytest.raises(WrongDecision, match="needs somebody"):
        policy_of(by)


def test_one_person_clicking_twice_is_one_vote():
    two = Policy(("anna", "ben", "cleo"), needed=2)

    assert not two.met_by(["anna", "anna"])
    assert not two.met_by(["anna", "mallory"])
    assert two.met_by(["anna", "cleo"])


def test_a_name_that_is_part_of_a_name_is_another_person():
    assert not policy_of("joanna").allows("anna")


def test_a_name_written_otherwise_is_no_second_person():
    two = Policy(("anna", "Anna", "ben"), needed=2)

    assert not two.met_by(["anna", "Anna"])
    assert two.met_by(["Anna", "ben"])


def test_the_addresses_of_a_person_are_one_vote():
    two = at_least(2, "anna", "ben")

    assert not two.met_by(["anna", "ANNA@example.com"], OPS)
    assert two.met_by(["anna@example.com", "ben"], OPS)
    assert two.allows("Anna@Example.com", OPS)
    assert not two.allows("anna@example.com")


def test_a_role_is_whoever_has_it_now():
    ops = policy_of(role("ops"))

    assert ops.allows("ben", OPS)
    assert not ops.allows("cleo", OPS)
    assert not ops.allows("ops", OPS)
    assert not ops.allows("ben")
    assert ops.members(OPS) == {"anna", "ben"}


def test_whoever_left_counts_neither_by_name_nor_by_role():
    left = Directory(roles={"ops": ["anna", "ben"]}, people=["anna"])

    assert not any_of("ben", role("ops")).allows("ben", left)
    assert not Policy(("anna", "ben"), needed=2).met_by(["anna", "ben"], left)


def test_any_of_is_met_by_one_and_all_of_by_each():
    either, each = any_of("anna", role("ops")), all_of("cleo", role("ops"))

    assert either.met_by(["ben"], OPS)
    assert not each.met_by(["cleo"], OPS)
    assert not each.met_by(["anna", "ben"], OPS)
    assert each.met_by(["cleo", "ben"], OPS)


def test_who_is_in_both_of_all_may_say_yes_for_both():
    assert all_of(role("ops"), role("finance")).met_by(["anna"], OPS)
    assert all_of(role("ops"), role("finance")).met_by(["ben", "cleo"], OPS)
    assert not all_of(role("ops"), role("finance")).met_by(["ben"], OPS)


def test_at_least_counts_people_never_groups():
    two = at_least(2, any_of("anna", "ben"), any_of("anna", "cleo"), role("finance"))

    assert not two.met_by(["anna"], OPS)
    assert two.met_by(["anna", "cleo"], OPS)
    assert two.people == ("anna", "ben", "anna", "cleo", Role("finance"))


def test_a_group_that_must_agree_counts_once_when_it_does():
    policy = at_least(2, "ben", all_of("anna", "cleo"))

    assert not policy.met_by(["anna", "cleo"])
    assert not policy.met_by(["ben", "anna"])
    assert policy.met_by(["ben", "anna", "cleo"])
    assert policy.everybody() == {"anna", "ben", "cleo"}


def test_under_four_eyes_who_asked_does_not_count():
    four = not_an_initiator(["anna", "ben"])

    assert not four.allows("anna", initiators=["anna"])
    assert not four.met_by(["anna"], initiators=["anna"])
    assert four.met_by(["anna"], initiators=["ben"])
    assert four.met_by(["anna", "ben"], initiators=["ben"])
    assert Policy(("anna",)).allows("anna", initiators=["anna"])


@pytest.mark.parametrize("asked_as", ["anna@example.com", "ANNA", "anna"])
def test_four_eyes_know_a_person_by_any_of_her_names(asked_as: str):
    four = not_an_initiator(role("ops"))

    assert not four.met_by(["anna"], OPS, initiators=[asked_as])


def test_without_a_directory_four_eyes_see_through_capitals():
    assert not not_an_initiator("anna").allows("anna", initiators=["Anna"])


def test_four_eyes_reach_into_the_policies_inside():
    outer = not_an_initiator(all_of("ben", any_of("anna", "cleo")))
    inner = all_of("anna", not_an_initiator(["anna", "cleo"]))

    assert not outer.met_by(["ben", "anna"], initiators=["anna"])
    assert outer.met_by(["ben", "cleo"], initiators=["anna"])
    assert not inner.met_by(["anna"], initiators=["anna"])
    assert inner.met_by(["anna", "cleo"], initiators=["anna"])
    assert inner.allows("anna", initiators=["anna"])
    assert inner.allows("cleo", initiators=["anna"])


def test_four_eyes_inside_at_least_stay_one_group():
    policy = at_least(2, "ben", not_an_initiator(["anna", "cleo"]))

    assert not policy.met_by(["ben", "anna"], initiators=["anna"])


def test_who_gave_a_place_away_counts_by_no_way():
    policy = Policy(("cleo", Role("ops")), without=("anna",))

    assert not policy.allows("anna", OPS)
    assert not policy.allows("anna@example.com", OPS)
    assert policy.allows("cleo", OPS)
    assert not any_of("anna", policy).allows("ANNA")


@pytest.mark.parametrize(
    ("policy", "data", "text"),
    [
        (any_of("anna", "ben"), {"people": ["anna", "ben"], "needed": 1}, "anna or ben"),
        (at_least(2, "a", "b"), {"people": ["a", "b"], "needed": 2}, "2 of a, b"),
        (policy_of(role("ops")), {"people": [{"role": "ops"}], "needed": 1}, "role ops"),
        (
            not_an_initiator(all_of("a", role("ops"))),
            {
                "people": ["a", {"people": [{"role": "ops"}], "needed": 1}],
                "needed": 2,
                "four_eyes": True,
            },
            "2 of a, (role ops), but nobody who asked for it",
        ),
        (
            Policy(("a",), without=("b",)),
            {"people": ["a"], "needed": 1, "without": ["b"]},
            "a",
        ),
    ],
)
def test_a_policy_is_stored_as_data(policy: Policy, data: Any, text: str):
    assert policy.to_data() == data
    assert Policy.from_data(data) == policy
    assert str(policy) == text


@pytest.mark.parametrize(
    ("by", "directory", "complaint"),
    [
        (role("ops"), NAMES_ALONE, r"role ops: there is no directory .* App\(directory="),
        (role("opps"), OPS, "role opps: the directory has only empty, finance, ops"),
        (role("empty"), OPS, "role empty: nobody has it"),
        ("mallory", OPS, "knows no active 'mallory'"),
        (all_of("anna", any_of("mallory", "ben")), OPS, "knows no active 'mallory'"),
        (at_least(3, role("ops"), "anna"), OPS, "cannot be met by anna, ben"),
        (at_least(2, "anna", "anna@example.com"), OPS, "cannot be met by anna"),
        (not_an_initiator("anna"), NAMES_ALONE, "cannot be met by anna"),
    ],
)
def test_who_cannot_be_asked_is_said_at_once(by: Any, directory: Directory, complaint: str):
    with pytest.raises(WrongDecision, match=complaint):
        checked_policy(by, directory, initiators=["anna"])


def test_a_replay_asks_nobody_who_they_are():
    assert checked_policy(role("opps"), None) == policy_of(role("opps"))


def test_an_unknown_proof_of_identity_settles_only_low_risk():
    settles = Settles({"signed-in": "high", "sms": "medium"})

    assert settles.allows("signed-in", "high")
    assert settles.allows("sms", "medium")
    assert not settles.allows("sms", "high")
    assert settles.allows("letter", "low")
    assert not settles.allows("letter", "medium")


def test_a_risk_that_does_not_exist_is_refused_at_once():
    with pytest.raises(ConfigurationError, match="low, medium, high"):
        Settles({"sms": "huge"})  # pyright: ignore[reportArgumentType]


# Of any policy

PEOPLE = ("anna", "ben", "cleo", "dan")
members = st.recursive(
    st.sampled_from((*PEOPLE, role("ops"), role("finance"))),
    lambda inside: st.builds(
        Policy,
        st.lists(inside, min_size=1, max_size=3).map(tuple),
        st.integers(1, 3),
        st.booleans(),
        st.lists(st.sampled_from(PEOPLE), max_size=1).map(tuple),
    ),
    max_leaves=6,
)
policies = members.map(lambda one: one if isinstance(one, Policy) else Policy((one,)))
groups = st.sets(st.sampled_from(PEOPLE))


@given(policies, groups, groups)
def test_only_those_who_may_decide_make_a_difference(
    policy: Policy, yes: set[str], asked: set[str]
):
    allowed = {who for who in yes if policy.allows(who, OPS, initiators=asked)}

    assert policy.met_by(yes, OPS, initiators=asked) == policy.met_by(
        allowed, OPS, initiators=asked
    )
    assert allowed <= policy.everybody(OPS)


@given(policies, groups, st.sampled_from(PEOPLE))
def test_one_more_yes_never_unmakes_a_policy(policy: Policy, yes: set[str], more: str):
    assert not policy.met_by(yes, OPS) or policy.met_by({*yes, more}, OPS)


@given(policies, groups, st.sampled_from(PEOPLE))
def test_who_asked_never_helps_under_four_eyes(policy: Policy, yes: set[str], who: str):
    four = Policy((policy,), four_eyes=True)

    assert not four.allows(who, OPS, initiators=[who])
    without = four.met_by(yes - {who}, OPS, initiators=[who])
    assert four.met_by({*yes, who}, OPS, initiators=[who]) == without


@given(policies, st.sampled_from(PEOPLE))
def test_a_place_is_given_away_one_for_one(policy: Policy, old: str):
    new = policy.replaced(old, "newcomer")

    assert not new.allows(old)
    assert new.allows("newcomer") == policy.allows(old)
    assert new.everybody() - {"newcomer"} == policy.everybody() - {old}


@given(policies)
def test_any_policy_is_read_back_from_its_data(policy: Policy):
    assert Policy.from_data(from_text(to_text(policy.to_data()))) == policy
