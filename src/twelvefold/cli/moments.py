"""A point in time as people give it: a date, a time, or how long ago."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import click

_UNITS: Mapping[str, timedelta] = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_AGO = re.compile(r"([0-9]{1,6})([hdwy])")


def moment(text: str, *, now: datetime) -> datetime:
    """`2y`, `90d`, `2026-11-20` or `2026-11-20T09:30:00Z`; without an offset, UTC.

    Raises `click.UsageError`.
    """
    if found := _AGO.fullmatch(text):
        try:
            return now - int(found[1]) * _UNITS[found[2]]
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(
            f"{text!r} is no time: give 12h, 90d, 8w, 2y, 2026-11-20 or 2026-11-20T09:30:00Z."
        ) from error
    return at.replace(tzinfo=at.tzinfo or UTC)


def ahead(text: str, *, now: datetime) -> datetime:
    """As `moment`, but `90d` is so long from now."""
    at = moment(text, now=now)
    try:
        return now + (now - at) if _AGO.fullmatch(text) else at
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
