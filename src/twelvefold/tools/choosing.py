"""The one step of a reply, out of the values that it holds; or why there is none.

Every value that claims to be a step counts, also one that is not valid: what a model said is not
dropped because it said it badly. Equal steps are one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from twelvefold.exceptions import StepRefused
from twelvefold.failures import clip
from twelvefold.schemas import NEXT_STEP
from twelvefold.thread import Json
from twelvefold.tools.candidates import PROSE, Candidate, Found, candidates
from twelvefold.tools.prose import doubt
from twelvefold.tools.rules import Fit, Mismatch, shown
from twelvefold.tools.targets import Target, Variant
from twelvefold.tools.unwrapping import Step, is_wrapped, step_of
from twelvefold.tools.values import Bare, Unclear, strict, strict_with_controls

DECODED_MAX = 2
"""How many times over a reply may be a JSON text that holds the real one."""

_QUOTES = "'\"`"


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that says it is a step, and why that may not be what the model wants."""

    step: Step
    notes: tuple[str, ...]
    doubt: str


def one_of(text: str, target: Target, *, exact: bool = False) -> Fit:
    """The result and its repairs. Raises `StepRefused`."""
    try:
        if target.tag is None and (said := _text_as_it_is(text, target)) is not None:
            return said
        found = _exactly(text) if exact else _found(text, DECODED_MAX)
        if target.tag is not None:
            return _step(text, found, target, exact=exact)
        return _value(text, found, cast(Variant, target.root), target, exact=exact)
    except (Unclear, Mismatch) as why:
        raise StepRefused(why.reason, clip(f"{why}")) from why
    except RecursionError as why:
        raise StepRefused("too_deep", "The reply is nested too deep.") from why


def _text_as_it_is(text: str, target: Target) -> Fit | None:
    """A JSON text where the answer may be one: what it holds is not looked into."""
    try:
        value = strict(text)
        fits = isinstance(value, str) and not target.takes_text
        return cast(Variant, target.root).fit(value, exact=True) if fits else None
    except (ValueError, RecursionError, Unclear, Mismatch):
        return None


# Phase one


def _exactly(text: str) -> Found:
    try:
        return _whole(strict(text), text)
    except ValueError as error:
        raise Unclear("not_json", f"The reply is not JSON: {error}") from error


def _found(text: str, decoded: int) -> Found:
    """The values of a reply, which may be a JSON text itself, or stand in quotes as a whole."""
    for read, notes in ((strict, ()), (strict_with_controls, ("raw control characters kept",))):
        try:
            value = read(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str) and decoded and ("{" in value or "[" in value):
            return _with(_found(value, decoded - 1), "JSON inside of a text")
        return _whole(value, text, notes)
    bare = text.strip().strip("\ufeff\u200b").strip()
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in _QUOTES and bare[1] in "{[":
        return _with(_found(bare[1:-1], 0), "quotes around the JSON removed")
    return candidates(bare)


def _whole(value: Json, text: str, notes: tuple[str, ...] = ()) -> Found:
    return Found([Candidate(value, notes, 0, len(text))], text=text)


def _with(found: Found, note: str) -> Found:
    found.notes = {note: None, **found.notes}
    return found


# A step with a tag


def _step(text: str, found: Found, target: Target, *, exact: bool) -> Fit:
    claims, foreign = _claims(found, cast(str, target.tag), exact=exact)
    if found.broken:
        raise _worst(found.broken)
    if found.unfinished:
        raise _thinking()
    if not claims:
        raise _no_claim(found, foreign, target)
    doubts = [claim.doubt for claim in claims]
    if len(claims) == 1 and doubts[0]:
        raise _quoted(doubts[0])
    fits = [_fitted(claim, target, alone=len(claims) == 1, exact=exact) for claim in claims]
    if any(one.value != fits[0].value for one in fits):
        raise _several(len(fits))
    if all(doubts):
        raise _quoted(doubts[0])
    best = doubts.index("")
    return Fit(fits[best].value, (*found.notes, *claims[best].notes, *fits[best].notes))


def _claims(found: Found, tag: str, *, exact: bool) -> tuple[list[Claim], str]:
    claims: list[Claim] = []
    foreign = ""
    ends = [one.start for one in found.values[1:]] + [len(found.text)]
    starts = [found.since, *(one.end for one in found.values)]
    for one, since, until in zip(found.values, starts, ends, strict=False):
        foreign = one.foreign or foreign
        step = None if one.foreign else step_of(one.value, tag, exact=exact)
        if step:
            why = _doubt(found, one, since, until)
            claims.append(Claim(step, (*_around(found, one), *one.notes, *step.notes), why))
    return claims, foreign


def _doubt(found: Found, one: Candidate, since: int, until: int) -> str:
    fenced = one.fenced
    since = max(since, found.since) if found.since <= one.start else since
    until = max(until, one.end)
    return doubt(found.text, one.start, one.end, since=since, until=until, fenced=fenced)


def _around(found: Found, one: Candidate) -> tuple[str, ...]:
    rest = found.text[found.since : one.start].strip() or found.text[one.end :].strip()
    return (PROSE,) if rest else ()


def _fitted(claim: Claim, target: Target, *, alone: bool, exact: bool) -> Fit:
    step, tag = claim.step, cast(str, target.tag)
    named = target.variant(step.tag, exact=exact)
    if not named:
        known = ", ".join(target.variants)
        raise Unclear("unknown_intent", f"The {tag} {shown(step.tag)} is not one of: {known}.")
    name, variant = named
    notes = () if name == step.tag else (f"{step.tag} read as {name}",)
    whole = type(step.fields)({tag: name, **step.fields})
    try:
        fitted = variant.fit(whole, exact=exact)
    except Mismatch as wrong:
        if alone:
            raise Unclear(
                wrong.reason, f"{name}: {str(wrong).removeprefix(f'{name}: ')}"
            ) from wrong
        raise Unclear(
            "ambiguous", f"One of several steps in the reply is wrong: {wrong}"
        ) from wrong
    return Fit(fitted.value, (*notes, *fitted.notes))


def _no_claim(found: Found, foreign: str, target: Target) -> Unclear:
    if foreign:
        return _quoted(foreign)
    if any(isinstance(one.value, dict) for one in found.values):
        known = ", ".join(target.variants)
        return Unclear("unknown_intent", f"The JSON has no field {target.tag}, one of: {known}.")
    if found.values:
        return Unclear("not_an_object", f"The reply must be one JSON object with {target.tag}.")
    return Unclear("not_json", "The reply is not JSON: it must be one JSON object.")


def _worst(broken: Sequence[Unclear]) -> Unclear:
    for reason in ("truncated", "ambiguous"):
        if found := [one for one in broken if one.reason == reason]:
            return found[0]
    return broken[0]


def _quoted(why: str) -> Unclear:
    return Unclear("quoted", f"The reply holds a step, but {why}. Reply with the JSON alone.")


def _thinking() -> Unclear:
    return Unclear("truncated", "The reply ends while it is still thinking.")


def _several(count: int) -> Unclear:
    return Unclear("ambiguous", f"The reply holds {count} different steps, where one is wanted.")


# A value without a tag


def _value(text: str, found: Found, root: Variant, target: Target, *, exact: bool) -> Fit:
    if target.takes_text and not is_wrapped(found.values[0].value if found.values else None):
        return Fit(text)
    if found.broken:
        raise _worst(found.broken)
    if found.unfinished:
        raise _thinking()
    fits: list[Fit] = []
    wrong: list[Mismatch] = []
    others: list[Candidate] = []
    for one in found.values or [Candidate(Bare(found.text), (), 0, len(found.text))]:
        try:
            fits.append(_untagged(one, found, root, exact=exact))
        except Mismatch as mismatch:
            wrong.append(mismatch)
            others.append(one)
    if not fits:
        raise _nothing(found, wrong)
    if _is_object(fits[0].value) and any(_is_object(one.value) for one in others):
        raise Unclear("ambiguous", f"One of several answers in the reply is wrong: {wrong[0]}")
    if any(one.value != fits[0].value for one in fits):
        raise Unclear("ambiguous", f"The reply holds {len(fits)} different answers.")
    return fits[0]


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _untagged(one: Candidate, found: Found, root: Variant, *, exact: bool) -> Fit:
    if one.foreign:
        raise Mismatch("", one.foreign, "quoted")
    notes = (*found.notes, *_around(found, one), *one.notes)
    try:
        fitted = root.fit(one.value, exact=exact)
        return Fit(fitted.value, (*notes, *fitted.notes))
    except Mismatch:
        inner, note = _inner(one.value, exact=exact)
        if not note:
            raise
        fitted = root.fit(inner, exact=exact)
        return Fit(fitted.value, (*notes, note, *fitted.notes))


def _inner(value: Json, *, exact: bool) -> tuple[Json, str]:
    if is_wrapped(value):  # what is in it may be null, or an empty text
        return cast("dict[str, Json]", value)[NEXT_STEP], "next_step unwrapped"
    items = cast(list[Json], value) if isinstance(value, list) else []
    return (items[0], "list of one unwrapped") if len(items) == 1 and not exact else (None, "")


def _nothing(found: Found, wrong: Sequence[Mismatch]) -> Exception:
    return wrong[0] if found.values else Unclear("not_json", f"The reply is not JSON: {wrong[0]}")
