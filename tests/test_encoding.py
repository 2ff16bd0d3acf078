"""JSON text and times in their one stored form."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvefold import encoding
from twelvefold.encoding import canonical, from_iso, to_iso, to_text
from twelvefold.exceptions import Unstorable

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(st.characters()), part),
    max_leaves=12,
)  # fmt: skip


@given(anything)
def test_what_json_can_hold_is_read_back_as_it_was(value):
    text = to_text(value)

    assert json.loads(text.encode().decode()) == json.loads(json.dumps(value))
    assert to_text(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers()))
def test_a_digest_does_not_depend_on_the_order_of_keys(value):
    backwards = dict(reversed(value.items()))

    assert canonical(value) == canonical(backwards)


def test_the_stored_text_keeps_the_order_of_keys():
    assert to_text({"b": 1, "a": [1.5, "ü"]}) == '{"b":1,"a":[1.5,"ü"]}'
    assert canonical({"b": 1, "a": 2}) == '{"a":2,"b":1}'


def test_a_number_and_a_truth_and_a_text_stay_apart():
    assert len({canonical(value) for value in (1, 1.0, True, "1", None)}) == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", object(), {1}, {("a",): 1}])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(Unstorable):
        to_text({"value": value})


def test_a_value_that_holds_itself_is_refused():
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(Unstorable):
        to_text(endless)


def test_a_lone_surrogate_survives_utf_8():
    assert to_text("a\ud800") == '"a\\ud800"'
    assert json.loads(to_text("a\ud800").encode()) == "a\ud800"


def test_two_halves_of_a_pair_are_one_character_from_the_start():
    assert to_text("\ud83d\ude00") == '"😀"'


def test_times_are_utc_with_microseconds_so_that_text_order_is_time_order():
    berlin = timezone(timedelta(hours=1))

    assert to_iso(datetime(2026, 1, 1, 13, tzinfo=berlin)) == "2026-01-01T12:00:00.000000Z"
    assert from_iso("2026-01-01T13:00:00+01:00") == datetime(2026, 1, 1, 12, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_time_is_read_back_as_it_was(at):
    assert from_iso(to_iso(at)) == at


def test_a_time_without_an_offset_is_no_time():
    with pytest.raises(Unstorable, match="no offset"):
        to_iso(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no offset"):
        from_iso("2026-01-01T12:00:00")


@pytest.mark.parametrize("value", [{"b": [1, 2.5, None, True], "a": "ü\u2028"}, {}, [], "x"])
def test_an_interpreter_without_the_fast_encoder_writes_the_same_text(value, monkeypatch):
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    slow = encoding._encoder(sort_keys=False)

    assert "".join(slow(value, 0)) == to_text(value)
