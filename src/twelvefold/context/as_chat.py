"""The context as chat messages: chosen steps are the assistant's, all else is the user's.

A step is the JSON that a model replies with; everything else is tagged text. A provider's own tool
messages are never used, so no call can be left without its result. Providers want a conversation to
begin and end with the user: a step that nothing has come before, or after yet, is shown as tagged
text in a user message.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from twelvefold.context.shown import tag_of
from twelvefold.context.tagged import Piece, json_text, pieces_of, tagged
from twelvefold.exceptions import NotRendered
from twelvefold.messages import Message, Part
from twelvefold.thread import Event, Json

Said = tuple[bool, Piece]
"""Whether a model's reply would say it, and what is shown."""


def said(event: Event, piece: Piece) -> Said:
    tag, body = piece.view
    chosen = event.type == "next_step_chosen" and tag == tag_of(str(event.data.get("intent")))
    return chosen and isinstance(body, dict) and "intent" not in body, piece


def messages(shown: Sequence[Said]) -> tuple[Message, ...]:
    """They begin and end with the user's and take turns. The newest one bears a cache mark."""
    others = [place for place, (is_step, _) in enumerate(shown) if not is_step]
    first, last = (others[0], others[-1]) if others else (len(shown), len(shown))
    turns = [(s and first < n < last, piece) for n, (s, piece) in enumerate(shown)]
    made = [_message(by, [p for _, p in turn]) for by, turn in groupby(turns, lambda t: t[0])]
    return tuple([*made[:-1], *map(_marked, made[-1:])])


def pieces_in(messages: Sequence[Message]) -> Iterator[Piece]:
    """The inverse of `messages`. Raises `NotRendered` for others."""
    for message in messages:
        if message.role == "assistant":
            yield from map(_step, message.text.split("\n"))
        else:
            yield from pieces_of(message.text)


def _message(is_step: bool, pieces: Sequence[Piece]) -> Message:
    if not is_step:
        return Message("user", tuple(Part(tagged(piece)) for piece in pieces))
    steps = [json_text({"intent": piece.view[0], **piece.view[1]}) for piece in pieces]
    return Message("assistant", tuple(Part("\n" * (n > 0) + s) for n, s in enumerate(steps)))


def _marked(message: Message) -> Message:
    *parts, newest = message.parts
    return Message(message.role, (*parts, Part(newest.text, cache=True)))


def _step(text: str) -> Piece:
    try:
        step: Json = json.loads(text)
        return Piece((step["intent"], {name: step[name] for name in step if name != "intent"}))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotRendered(f"no step: {text[:40]!r}") from error
