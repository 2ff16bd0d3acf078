"""What can go wrong on the wire, in whole runs of an example: said in the log, then gone over.

Each trouble hits the first call of the run; the run must come to its end nonetheless, with every
effect once.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from strict.faults import Fault, a_page, cut_off, fails, filtered, no_json, refused, slow, truncated
from strict.server import StrictServer
from strict.stories import STORIES, Carried, told
from strict.vendors import VENDORS, WAYS, Way
from twelvefold import App
from twelvefold.testing.child import work
from twelvefold.thread import Event

pytestmark = pytest.mark.anyio

TRY_TIMEOUT_S = 0.4
SLOW_S = 5.0
PIECE_S = 0.002
EACH = {name: way for name, way in WAYS.items() if way.mode != "prompt"}

# A call of Gemini's comes in one piece.
IN_PIECES = {name: way for name, way in EACH.items() if name != "gemini-tool"}
each_way = pytest.mark.parametrize("way", EACH.values(), ids=EACH)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`fault` and how it is read: as a try that failed, or as a counted failure of the call."""

    fault: Fault
    attempt: dict[str, Any] | None = None
    reason: str | None = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


WATCHED: dict[str, Any] = {"on_partial": lambda text, request: None}
HURRIED: dict[str, Any] = {"try_timeout_s": TRY_TIMEOUT_S}
TROUBLES: dict[str, Trouble] = {
    "429 with seconds": Trouble(fails(429, "slow", retry_after="0"), {"status": 429}),
    "429 with a date": Trouble(fails(429, "slow", retry_after=soon()), {"status": 429}),
    "500": Trouble(fails(500, "oh", retry_after="0"), {"status": 500}),
    "503": Trouble(fails(503, "oh", retry_after="0"), {"status": 503}),
    "529": Trouble(fails(529, "busy", retry_after="0"), {"status": 529}),
    "408": Trouble(fails(408, "late", retry_after="0"), {"status": 408}),
    "a page of a proxy": Trouble(a_page(), {}),
    "half a body": Trouble(no_json(), {}),
    "a broken connection": Trouble(cut_off(), {}),
    "a reply that does not come": Trouble(slow(SLOW_S), {}, options=HURRIED),
    "a truncated reply": Trouble(truncated(), reason="truncated"),
    "a refusal": Trouble(refused(), reason="refused"),
    "a filter": Trouble(filtered(), reason="refused"),
    "a bad request": Trouble(fails(400, "no such thing as it"), reason="bad_request"),
    "a truncated stream": Trouble(truncated(), reason="truncated", options=WATCHED),
    "a refusal in a stream": Trouble(refused(), reason="refused", options=WATCHED),
    "a slow stream": Trouble(slow(PIECE_S), options=WATCHED),
}

# Where a vendor asks for no pause there is one of half a second: one mode is enough for those.
PAUSING = frozenset(
    name for name, one in TROUBLES.items() if one.attempt == {} or name == "429 with a date"
)
HIT = {
    f"{name}-{way}": (trouble, EACH[way])
    for name, trouble in TROUBLES.items()
    for way in EACH
    if name not in PAUSING or EACH[way].mode == "native"
}


@pytest.mark.parametrize(("trouble", "way"), HIT.values(), ids=HIT)
async def test_trouble_is_said_and_gone_over(
    trouble: Trouble, way: Way, strict_server: StrictServer, tmp_path: Path
):
    strict_server.fails(trouble.fault)
    async with told("first_agent", tmp_path, way, strict_server, **trouble.options) as (told_of, _):
        events = told_of.app.thread("b1").events
        assert told_of.app.store.thread_row("b1").status == "finished"

    first = next(event for event in events if "prompt" in event.data)
    assert [e.type for e in events].count("tool_started") == 1
    assert attempts_of(first) == ([] if trouble.attempt is None else [trouble.attempt])
    if trouble.reason is None:
        assert first.type == "next_step_chosen"
    else:
        assert (first.type, first.data["reason"]) == ("model_failed", trouble.reason)
        assert first.data["error"]


def attempts_of(event: Event) -> list[dict[str, Any]]:
    """Each failed try by its status; that there are words is asserted."""
    attempts = event.data.get("attempts", [])
    assert all(attempt["error"] for attempt in attempts)
    reason = event.data.get("reason")
    known = [{k: v for k, v in one.items() if k == "status"} for one in attempts]
    return [] if reason is not None else known


@pytest.mark.parametrize("way", IN_PIECES.values(), ids=IN_PIECES)
async def test_a_stream_that_breaks_off_is_no_step(
    way: Way, strict_server: StrictServer, tmp_path: Path
):
    """What came before the break is kept in the log, and never run."""
    strict_server.fails(cut_off(after=5))
    async with told("first_agent", tmp_path, way, strict_server, **WATCHED) as (told_of, _):
        events = told_of.app.thread("b1").events

    first = next(event for event in events if "prompt" in event.data)
    assert (first.type, first.data["reason"]) == ("model_failed", "truncated")
    assert [e.type for e in events].count("tool_started") == 1


DEEP = 1_000
WRITTEN: dict[str, tuple[str, str]] = {
    "a number without an end": ('{"next_step":{"intent":"deploy","tag":1e999}}', "not_json"),
    "ten thousand digits": (
        '{"next_step":{"intent":"deploy","tag":%s}}' % ("9" * 10_000),
        "not_json",
    ),
    "a deep hole": ('{"next_step":' * DEEP + "1" + "}" * DEEP, "too_deep"),
    "an unknown intent": ('{"next_step":{"intent":"drop_it","tag":"v1"}}', "unknown_intent"),
    "nothing": (" ", "empty"),
    "an error body": (
        '{"error":{"message":"no","type":"invalid_request_error"}}',
        "unknown_intent",
    ),
    "two actions": (
        '{"next_step":{"intent":"deploy","tag":"v1"}}{"next_step":{"intent":"deploy","tag":"v2"}}',
        "ambiguous",
    ),
}


@pytest.mark.parametrize(("text", "reason"), WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_is_no_step_is_counted_and_gone_over(
    vendor: str, text: str, reason: str, strict_server: StrictServer, tmp_path: Path
):
    way = WAYS[f"{vendor}-native"]
    async with told("first_agent", tmp_path, way, strict_server, first=[text]) as (told_of, _):
        events = told_of.app.thread("b1").events
        assert told_of.app.store.thread_row("b1").status == "finished"

    first = next(event for event in events if "prompt" in event.data)
    assert (first.type, first.data["reason"]) == ("model_failed", reason)
    assert len(first.data["error"]) < 1_000
    assert [e.type for e in events].count("tool_started") == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_half_a_character_is_kept_in_the_log_and_shown_escaped(
    vendor: str, strict_server: StrictServer, tmp_path: Path
):
    """UTF-8 cannot carry it to the next call, its escape can."""
    said, way = r'{"next_step":{"intent":"deploy","tag":"v\ud800"}}', WAYS[f"{vendor}-native"]
    async with told("first_agent", tmp_path, way, strict_server, first=[said]) as (told_of, _):
        events = told_of.app.thread("b1").events
        assert told_of.app.store.thread_row("b1").status == "finished"

    chosen = next(event for event in events if event.type == "next_step_chosen")
    assert chosen.data["args"] == {"tag": "v\ud800"}
    assert r"v\ud800" in "".join(strict_server.asked[-1].texts)
    assert strict_server.refusals == []


PARKING = {
    "no key of ours": (fails(401, "invalid x-api-key"), "UnusableModel"),
    "a key that may not": (fails(403, "not allowed"), "UnusableModel"),
    "an unknown model": (fails(404, "no such model"), "UnusableModel"),
    "a refused schema": (fails(400, "Invalid schema for response_format"), "SchemaRefused"),
}


@pytest.mark.parametrize(("fault", "error"), PARKING.values(), ids=PARKING)
@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_only_a_person_can_mend_parks_until_it_is_mended(
    vendor: str, fault: Fault, error: str, strict_server: StrictServer, tmp_path: Path
):
    strict_server.fails(fault)
    scenario = STORIES["first_agent"](tmp_path, lambda _: None)
    app: App = scenario.app
    models: Any = app.models
    [script] = models.values()
    models["default"] = Carried(
        script, WAYS[f"{vendor}-native"].model(strict_server), strict_server
    )
    await scenario.launch(app)
    await app.run(until_idle=True)

    assert app.store.thread_row("b1").status == "failed"
    [parked] = [e for e in app.thread("b1").events if e.type == "advance_failed"]
    assert error in parked.data["error"]
    assert app.state(app.thread("b1")).failures_in_a_row == 0

    await app.retry("b1", by="anna")
    await work(scenario, lambda _: None)
    assert app.store.thread_row("b1").status == "finished"
    app.close()


@each_way
async def test_after_every_try_the_failure_is_counted(
    way: Way, strict_server: StrictServer, tmp_path: Path
):
    """Three calls of three tries each; the fourth call goes through."""
    strict_server.fails(*9 * [fails(503, "down", retry_after="0")])
    async with told("calculator", tmp_path, way, strict_server) as (told_of, _):
        events = told_of.app.thread("c1").events

    failed = [event for event in events if event.type == "model_failed"]
    assert [event.data["reason"] for event in failed] == ["unavailable"] * 3
    assert [len(event.data["attempts"]) for event in failed] == [3] * 3
