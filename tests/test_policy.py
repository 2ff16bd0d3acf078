"""Who may decide, how many are needed, and what a proof of identity may settle."""

import pytest

from twelvefold.exceptions import ConfigurationError, WrongDecision
from twelvefold.policy import Policy, Settles, policy_of


def test_a_name_is_a_policy_of_one():
    assert policy_of("anna") == Policy(("anna",))
    assert policy_of(["anna", "ben"]) == Policy(("anna", "ben"))
    assert policy_of(Policy(("anna",))) == Policy(("anna",))


@pytest.mark.parametrize(
    "by", ["", [], [""], ["anna", ""], Policy(()), Policy(("anna", "anna"), needed=2)]
)
def test_a_policy_that_nobody_can_meet_is_refused(by):
    with pytest.raises(WrongDecision, match="needs somebody"):
        policy_of(by)


def test_one_person_clicking_twice_is_one_vote():
    two = Policy(("anna", "ben", "cleo"), needed=2)

    assert not two.met_by(["anna", "anna"])
    assert not two.met_by(["anna", "mallory"])
    assert two.met_by(["anna", "cleo"])


def test_a_name_that_is_part_of_a_name_is_another_person():
    assert not policy_of("joanna").allows("anna")


def test_a_policy_is_stored_as_data():
    two = Policy(("anna", "ben"), needed=2)

    assert Policy.from_data(two.to_data()) == two
    assert str(two) == "anna or ben"


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
