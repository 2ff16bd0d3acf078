"""The formats of texts that are checked; any other format says only what is meant."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from ipaddress import IPv4Address, IPv6Address

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")
_DURATION = re.compile(r"P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)")


def is_format(text: str, name: str) -> bool:
    try:
        return name not in _FORMATS or _FORMATS[name](text)
    except ValueError:
        return False


def _day_and_time(text: str) -> bool:
    return bool(_DAY_AND_TIME.fullmatch(text) and datetime.fromisoformat(text.upper()))


def _time(text: str) -> bool:
    return bool(_TIME.fullmatch(text)) and bool(str(time.fromisoformat(text.upper())))


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _day_and_time,
    "date": lambda text: len(text) == 10 and bool(date.fromisoformat(text)),
    "time": _time,
    "duration": lambda text: bool(_DURATION.fullmatch(text)),
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "ipv4": lambda text: bool(str(IPv4Address(text))),
    "ipv6": lambda text: bool(str(IPv6Address(text))),
    "uuid": lambda text: bool(_UUID.fullmatch(text)),
}
