"""What can go wrong with a reply, in ways that providers know: statuses, ends, pauses, noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from strict.asking import Said
from strict.loopback import Reply


def _same_said(said: Said) -> Said:
    return said


def _same_reply(reply: Reply) -> Reply:
    return reply


@dataclass(frozen=True, slots=True)
class Fault:
    """An error with a `status` and `headers`, or another `change` of what the model says, or a
    reply that is spoilt on its way."""

    status: int | None = None
    message: str = "strict says no"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    change: Callable[[Said], Said] = _same_said
    spoil: Callable[[Reply], Reply] = _same_reply


def fails(status: int, message: str = "strict says no", **headers: str) -> Fault:
    """`fails(429, retry_after="1")`: a status, with headers."""
    return Fault(status, message, {name.replace("_", "-"): text for name, text in headers.items()})


def truncated(chars: int = 12) -> Fault:
    """The model is cut off by its token limit."""
    return Fault(change=lambda said: replace(said, text=said.text[:chars], finish="truncated"))


def refused() -> Fault:
    """The model refuses, and says nothing."""
    return Fault(change=lambda said: replace(said, text="", finish="refused"))


def filtered() -> Fault:
    """A filter stops the model."""
    return Fault(change=lambda said: replace(said, text="", finish="filtered"))


def usage(**counts: int) -> Fault:
    """Not a fault: the reply counts tokens of caches and of thinking."""
    return Fault(change=lambda said: replace(said, **counts))


def slow(pause_s: float) -> Fault:
    """Every piece comes after a pause."""
    return Fault(spoil=lambda reply: replace(reply, pause_s=pause_s))


def cut_off(after: int = 1, *, pieces: int = 2) -> Fault:
    """The connection breaks after some pieces; a body in one piece is torn into `pieces`."""
    return Fault(spoil=lambda r: replace(r, chunks=_torn(r.chunks, pieces), cut_after=after))


def no_json() -> Fault:
    """Status 200, and a body that is half of a JSON text."""
    return Fault(spoil=lambda reply: Reply(chunks=(b"".join(reply.chunks)[:40],)))


def a_page() -> Fault:
    """Status 200, and the page of a proxy."""
    page = b"<html><body>Please log in to the network.</body></html>"
    return Fault(spoil=lambda _: Reply(chunks=(page,), headers={"Content-Type": "text/html"}))


def _torn(chunks: Sequence[bytes], pieces: int) -> Sequence[bytes]:
    if len(chunks) > 1:
        return chunks
    whole = chunks[0]
    size = max(len(whole) // pieces, 1)
    return [whole[start : start + size] for start in range(0, len(whole), size)]
