"""What a line says of an event."""

from twelvefold.notices.events import said
from twelvefold.testing.past import START
from twelvefold.thread import Draft
from twelvefold.tools import result_data


def test_a_result_that_is_no_json_is_told_as_that():
    event = Draft("tool_returned", {"step": "s1", **result_data(object)}, START).event(1)

    assert said(event, "t1") == """-> no JSON, so its text alone was kept: "<class 'object'>\""""


def test_a_result_that_is_json_is_told_as_it_is():
    event = Draft("tool_returned", {"step": "s1", **result_data(["v1"])}, START).event(1)

    assert said(event, "t1") == '-> ["v1"]'
