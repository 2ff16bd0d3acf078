"""Requests as text, snapshots of them, and what differs between two."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvefold.messages import Message, ModelRequest, Part, message
from twelvefold.prompts import written
from twelvefold.prompts.comparing import common_beginning, compared
from twelvefold.testing import snapshot

MESSAGES = (
    Message("system", (Part("Rules.\n", cache=True), Part("Today: Friday"))),
    message("user", "hi\n--- system\n\\ nothing\n"),
)
WRITTEN = """\
--- system
Rules.
--- cache
Today: Friday
\\ no newline at the end
--- user
hi
\\--- system
\\\\ nothing
"""


def test_a_request_is_written_as_a_prompt_file_is():
    assert written(MESSAGES) == WRITTEN
    assert written(ModelRequest(MESSAGES, '{"type":"object"}')) == (
        WRITTEN + '--- steps offered (JSON Schema)\n{"type":"object"}\n'
    )


lines = st.lists(
    st.sampled_from(["--- user", "--- part", "--- cache", "\\", "\\ nothing", "a", "", "\n"]),
    max_size=4,
)
requests = st.lists(
    st.tuples(
        st.sampled_from(["system", "user"]),
        st.lists(st.tuples(lines.map("\n".join), st.booleans()), min_size=1, max_size=3),
    ),
    max_size=3,
).map(
    lambda found: tuple(
        Message(role, tuple(Part(text, cache) for text, cache in parts)) for role, parts in found
    )
)


@given(one=requests, other=requests)
def test_two_requests_never_look_the_same(one: tuple[Message, ...], other: tuple[Message, ...]):
    assert (written(one) == written(other)) == (one == other)


# Snapshots


def test_a_snapshot_is_written_on_demand_and_then_compared(tmp_path: Path):
    path = tmp_path / "next_step.snap"

    with pytest.raises(AssertionError, match=r"no snapshot .*TWELVEFOLD_SNAPSHOTS=update"):
        snapshot(MESSAGES, path)
    snapshot(MESSAGES, path, update=True)
    snapshot(MESSAGES, path)

    assert path.read_bytes() == WRITTEN.encode()


def test_a_snapshot_that_differs_says_where_and_what(tmp_path: Path):
    path = tmp_path / "next_step.snap"
    snapshot(MESSAGES, path, update=True)

    with pytest.raises(AssertionError) as raised:
        snapshot((message("system", "Rules!\n"),), path)

    said = str(raised.value)
    assert "next_step.snap differs after its first 16 bytes." in said
    assert "\n-Rules.\n" in said
    assert "\n+Rules!" in said


def test_the_environment_says_that_snapshots_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWELVEFOLD_SNAPSHOTS", "update")
    snapshot("one\r\n", tmp_path / "a")
    monkeypatch.delenv("TWELVEFOLD_SNAPSHOTS")

    assert (tmp_path / "a").read_bytes() == b"one\r\n"
    with pytest.raises(AssertionError):
        snapshot("one\n", tmp_path / "a")


# Comparisons


def request(*parts: tuple[str, bool]) -> ModelRequest:
    return ModelRequest((Message("user", tuple(Part(text, cache) for text, cache in parts)),))


def test_a_thread_that_grew_changes_nothing_before_the_mark():
    found = compared(request(("old\n", True), ("a\n", False)), request(("old\na\n", True)))

    assert (found.before_bytes, found.after_bytes, found.same_bytes) == (11, 11, 11)
    assert (found.cached_bytes, found.cached_changed_bytes) == (9, 0)
    assert found.diff  # the mark moved


def test_what_changes_before_the_mark_is_counted():
    found = compared(request(("öld\n", True), ("a\n", False)), request(("ünd\n", True)))

    assert (found.cached_bytes, found.same_bytes, found.cached_changed_bytes) == (10, 6, 4)
    assert "-öld\n+ünd" in found.diff


def test_the_same_request_has_no_difference():
    assert compared(request(("a", True)), request(("a", True))).diff == ""
    assert compared(request(("a", False)), request(("a", False))).cached_bytes == 0


@given(st.binary(max_size=6), st.binary(max_size=6), st.binary(max_size=6))
def test_the_common_beginning_is_the_longest(start: bytes, one: bytes, other: bytes):
    same = common_beginning(start + one, start + other)

    assert (start + one)[:same] == (start + other)[:same]
    assert (start + one)[same : same + 1] != (start + other)[same : same + 1] or same == len(
        min(start + one, start + other, key=len)
    )
