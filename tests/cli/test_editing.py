"""What a person saves in the editor is what is asked for: nothing stays that was taken out."""

import pytest

from twelvefold.cli.editing import changes_in
from twelvefold.exceptions import InvalidAnswer

ARGS = {"to": "ann", "cc": ["eve"], "urgent": 1}


def test_what_differs_is_a_change():
    assert changes_in("to: ben\ncc: [eve]\nurgent: 1\n", ARGS) == {"to": "ben"}


def test_an_argument_that_was_taken_out_does_not_stay_behind_unseen():
    with pytest.raises(InvalidAnswer, match="cc is missing, and would run as it was"):
        changes_in("to: ben\nurgent: 1\n", ARGS)


@pytest.mark.parametrize(("urgent", "value"), [("true", True), ("1.0", 1.0)])
def test_a_value_of_another_type_is_a_change(urgent: str, value: object):
    changes = changes_in(f"to: ann\ncc: [eve]\nurgent: {urgent}\n", ARGS)

    assert repr(changes) == repr({"urgent": value})


def test_an_argument_that_came_in_is_a_change_though_it_is_null():
    assert changes_in("to: ann\ncc: [eve]\nurgent: 1\nbcc: null\n", ARGS) == {"bcc": None}
