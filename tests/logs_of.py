"""Logs of any facts at all, and what is shown of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import strategies as st

from twelvefold.context import view
from twelvefold.context.menu import compacted
from twelvefold.messages import Message
from twelvefold.steps import CORE_EVENTS
from twelvefold.thread import Draft, Event, Json, Thread

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(type: str, **data: Json) -> Event:
    return Event(1, type, data, NOON)


def thread(*facts: tuple[str, dict[str, Json]]) -> Thread:
    events = [Event(seq, type, data, NOON) for seq, (type, data) in enumerate(facts, start=1)]
    return Thread("t1", "deploybot", events)


def stored(*facts: tuple[str, dict[str, Json]]) -> Thread:
    """As `thread`, of what a store would give back."""
    return Thread("t1", "deploybot").then(*[Draft(type, data, NOON) for type, data in facts])


def views(of: Thread) -> list[tuple[str, Json]]:
    return [shown for shown in map(view, compacted(of.events)) if shown is not None]


def is_valid(messages: Sequence[Message]) -> bool:
    """What every provider takes: it begins and ends with the user, takes turns, says something."""
    roles = [message.role for message in messages]
    takes_turns = all(one != other for one, other in pairwise(roles))
    says = all(part.text.strip() for message in messages for part in message.parts)
    return roles[0] == roles[-1] == "user" and takes_turns and says


ODD = st.sampled_from(
    [
        *"\x00\t\n\r \x1b\x7f\x85\xa0\u2028\u2029\u200b\u202e\ufeff\uffff\ud83d\ude00\U000e0041",
        *("\n\n", "</user_message>", "<error>", "<", "</", "/", "user_message>", "error>", "<!--"),
        *("&lt;", "&amp;lt;", "&", "amp;", "lt;", "<?", "]]>", "---", "...", ": ", " #", "- "),
        *("? ", "|", ">", "{", "}", "[", "]", "*a", "!!", "%", "@", "`", "'", '"', "\\", "<<", "="),
        *("~", "1", "0x", "1e3", "2020-01-01", "yes", "null", "True", ".inf", "é", "東", "😀"),
    ]
)
TEXTS = st.lists(ODD, max_size=8).map("".join) | st.text(st.characters(exclude_categories=[]))
NUMBERS = st.integers() | st.integers(2**53, 2**70) | st.floats(allow_nan=False, width=64)
SCALARS = st.none() | st.booleans() | NUMBERS.filter(lambda n: abs(n) != float("inf")) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        *("intent", "args", "result", "text", "from", "channel", "outcome", "by", "comment"),
        *("answer", "error", "summary", "signal", "data", "unstorable"),
    ]
)
FACTS = st.tuples(
    st.sampled_from(sorted(CORE_EVENTS))
    | st.sampled_from(["order_shipped", "user_message"])
    | TEXTS,
    st.dictionaries(KEYS | TEXTS, VALUES, max_size=5),
)
