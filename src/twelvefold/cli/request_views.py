"""What `context show` shows of a request: its text, its body, its tokens, what changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from twelvefold.cli.here import Here
from twelvefold.cli.out import Out
from twelvefold.exceptions import ConfigurationError, NotFound
from twelvefold.notices import visible
from twelvefold.prompts.comparing import Compared, compared, unified
from twelvefold.prompts.written import written
from twelvefold.summary import short
from twelvefold.thread import Event, Json, Thread, to_text

if TYPE_CHECKING:
    from twelvefold.app.requests import Made


@dataclass(frozen=True, slots=True)
class Shown:
    """One view: a field of the JSON document, or lines for people."""

    name: str
    data: Json
    show: Callable[[Out], None]


def request(made: "Made") -> Shown:
    """Every byte of it, in the form of a prompt file and of a snapshot."""

    def show(out: Out) -> None:
        for line in _lines(written(made.request)):
            out.line(line, bold=line.startswith("--- "))

    return Shown("request", None, show)


def wire(here: Here, made: "Made") -> Shown:
    """Raises `ConfigurationError` for a model that cannot say what it would send."""
    from twelvefold.app.requests import body_of

    model = here.app.surroundings.model(made.model)
    load = partial(here.app.store.kept, tenant=made.request.tenant)
    body = body_of(model, made.request, load)
    if body is None:
        raise ConfigurationError(
            f"{type(model).__name__} cannot say what it would send: --wire needs a model with"
            " body(request), as OpenAIModel has. Leave --wire out for the messages and the schema."
        )
    return Shown("body", body, lambda out: out.line(to_text(body)))


def tokens(here: Here, log: Thread, made: "Made") -> Shown:
    from twelvefold.app.requests import sends_schema
    from twelvefold.context.tokens import estimate

    with_schema = sends_schema(here.app.surroundings.model(made.model))
    parts = [(name, estimate(text)) for name, text in _parts(made, schema=with_schema)]
    total = sum(count for _, count in parts)
    events = [(event, estimate(text)) for event, text in _found(log, made)]
    usage = None if made.reply is None else made.reply.data.get("usage")
    data: Json = {
        "parts": [{"part": name, "tokens": count} for name, count in parts],
        "events": [{"seq": event.seq, "type": event.type, "tokens": n} for event, n in events],
        "total": total,
        "usage": usage,
    }

    def show(out: Out) -> None:
        out.table(
            [*((name, str(count)) for name, count in parts), ("total, estimated", str(total))]
        )
        if events:
            out.table([(f"{event.seq:>3}", _name(event), str(count)) for event, count in events])
        if usage:
            said = ", ".join(f"{name} {count}" for name, count in usage.items())
            out.line(f"recorded by event {made.reply.seq if made.reply else 0}: {said}")

    return Shown("tokens", data, show)


def diff(here: Here, log: Thread, made: "Made", other: str) -> Shown:
    """`other`: "" for the request before, a SEQ, a thread, or a file that holds a request."""
    if other and not other.isdigit() and Path(other).is_file():
        return _diff_with_file(made, other)
    name, before = _other(here, log, made, other)
    found = compared(before.request, made.request, names=(name, "this request"))
    data: Json = {
        "from": name,
        "diff": found.diff,
        "bytes": [found.before_bytes, found.after_bytes],
        "same_bytes": found.same_bytes,
        "cached_bytes": found.cached_bytes,
        "cached_changed_bytes": found.cached_changed_bytes,
    }

    def show(out: Out) -> None:
        _show_diff(out, found.diff)
        out.line(_summed_up(found))

    return Shown("diff", data, show)


def _parts(made: "Made", *, schema: bool) -> Iterator[tuple[str, str]]:
    for message in made.request.messages:
        for place, part in enumerate(message.parts, start=1):
            numbered = f", part {place}" if len(message.parts) > 1 else ""
            yield f"{message.role}{numbered}{', cached' if part.cache else ''}", part.text
    if made.request.schema is not None and schema:
        yield "steps offered", made.request.schema


def _found(log: Thread, made: "Made") -> Iterator[tuple[Event, str]]:
    """The events whose default rendering stands in the request, in order, with that text."""
    from twelvefold.context import render_event, render_json

    text, at = made.request.text, 0
    for event in log.events[: made.after]:
        for shown in (render_event(event), render_json([event])):
            found = text.find(shown, at) if shown else -1
            if found >= 0:
                at = found + len(shown)
                yield event, shown
                break


def _name(event: Event) -> str:
    intent = event.data.get("intent")
    return event.type if intent is None else f"{event.type} {intent}"


def _other(here: Here, log: Thread, made: "Made", other: str) -> tuple[str, "Made"]:
    from twelvefold.app.requests import replies_before, request_at

    if not other:
        earlier = next(replies_before(log, made), None)
        if earlier is None:
            raise NotFound(f"{log.id} has no request before this one to compare with.")
        other = str(earlier.seq)
    thread, at = log, other
    if not other.isdigit():
        name, _, at = other.partition(":")
        thread = here.app.thread(here.thread_id(name))
    if at and not at.isdigit():
        raise NotFound(f"{other} names no event: after the colon stands its number.")
    found = request_at(thread, here.app.agent(thread.agent), int(at) if at else None)
    what = f"event {found.reply.seq}" if found.reply else f"what follows event {found.after}"
    return f"{short(thread.id)} {what}", found


def _diff_with_file(made: "Made", name: str) -> Shown:
    """Both as they are shown, for the file may be what this command wrote."""
    text = Path(name).read_bytes().decode("utf-8", "replace")
    before, after = ("\n".join(_lines(each)) for each in (text, written(made.request)))
    found = unified(before, after, names=(name, "this request"))
    return Shown("diff", {"from": name, "diff": found}, lambda out: _show_diff(out, found))


def _lines(text: str) -> list[str]:
    return [visible(line) for line in text.removesuffix("\n").split("\n")]


def _show_diff(out: Out, text: str) -> None:
    for line in text.split("\n") if text else ["nothing changed"]:
        out.line(line)


def _summed_up(found: Compared) -> str:
    sizes = f"{found.before_bytes} bytes became {found.after_bytes}"
    said = f"{sizes}; the first {found.same_bytes} are the same"
    if not found.cached_bytes:
        return f"{said}; no cache mark"
    changed = found.cached_changed_bytes
    return f"{said}; {changed} of the {found.cached_bytes} before the last cache mark changed"
