"""`python -m benchmarks.served [SECONDS]`: a table, and build/bench-server.json.

Two processes on one machine: the server, and this one, which reads and asks. So what is measured is
both.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from benchmarks.served.site import LONG_ID, OPEN, WATCHED, application, fill, served

STREAMS, PER_SECOND, SECONDS = 200, 50, 60
PAGES = 100
TARGETS = {"inbox page": 50.0, "thread page": 100.0}
"""Milliseconds, 95 of 100."""


@dataclass
class Seen:
    took_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    errors: Counter[str] = field(default_factory=Counter[str])
    sent: Counter[str] = field(default_factory=Counter[str])
    read: Counter[tuple[int, str]] = field(default_factory=Counter[tuple[int, str]])


async def ask(
    client: httpx.AsyncClient, seen: Seen, name: str, method: str, path: str, **given: Any
):
    started = time.perf_counter()
    try:
        answer = await client.request(method, path, **given)
        if answer.status_code >= 400:
            seen.errors[f"{name} {answer.status_code}"] += 1
    except httpx.HTTPError as error:
        seen.errors[f"{name} {type(error).__name__}"] += 1
    seen.took_ms.setdefault(name, []).append((time.perf_counter() - started) * 1000)


async def watch(client: httpx.AsyncClient, seen: Seen, number: int, ready: asyncio.Event) -> None:
    """Read one stream until it is cancelled; an end before that is an error."""
    thread = f"t{number % WATCHED}"
    path = f"/v1/threads/{thread}/events"
    try:
        async with client.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            if answer.status_code != 200:
                seen.errors[f"stream {answer.status_code}"] += 1
                return
            ready.set()
            async for line in answer.aiter_lines():
                if line.startswith("data:") and '"load"' in line:
                    seen.read[number, thread] += 1
        seen.errors["stream ended"] += 1
    except httpx.HTTPError as error:
        seen.errors[f"stream {type(error).__name__}"] += 1


async def load(client: httpx.AsyncClient, seen: Seen, seconds: int) -> None:
    """PER_SECOND requests, whether or not the ones before were answered."""
    tasks: list[asyncio.Task[None]] = []
    began = time.perf_counter()
    for n in range(seconds * PER_SECOND):
        await asyncio.sleep(max(0.0, began + n / PER_SECOND - time.perf_counter()))
        thread = f"t{n % WATCHED}"
        match n % 5:
            case 0:
                seen.sent[thread] += 1
                given = {"json": {"text": "load"}}
                one = ask(
                    client, seen, "POST message", "POST", f"/v1/threads/{thread}/messages", **given
                )
            case 1:
                one = ask(client, seen, "GET contacts", "GET", "/v1/contacts?limit=50")
            case 2:
                one = ask(client, seen, "GET threads", "GET", "/v1/threads?limit=50")
            case 3:
                one = ask(client, seen, "GET contact", "GET", f"/v1/contacts/{thread}.s1.1")
            case _:
                one = ask(client, seen, "GET thread", "GET", f"/v1/threads/{thread}")
        tasks.append(asyncio.create_task(one))
    await asyncio.gather(*tasks)


async def measure(url: str, key: str, seconds: int) -> Seen:
    seen = Seen()
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=httpx.Timeout(30, read=None)
    ) as client:
        for n in range(PAGES):
            await ask(client, seen, "inbox page", "GET", "/inbox")
            await ask(client, seen, "thread page", "GET", f"/threads/{LONG_ID}")
            if n == 0:
                seen.took_ms.clear()  # the first one compiles the templates
        ready = [asyncio.Event() for _ in range(STREAMS)]
        streams = [asyncio.create_task(watch(client, seen, n, one)) for n, one in enumerate(ready)]
        async with asyncio.timeout(60):
            await asyncio.gather(*(one.wait() for one in ready))
        await load(client, seen, seconds)
        await settled(seen)
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return seen


async def settled(seen: Seen) -> None:
    """Until every stream has read what was sent, or ten seconds."""
    for _ in range(100):
        if missing(seen) == 0:
            return
        await asyncio.sleep(0.1)


def missing(seen: Seen) -> int:
    wanted = {(n, f"t{n % WATCHED}"): seen.sent[f"t{n % WATCHED}"] for n in range(STREAMS)}
    return sum(abs(count - seen.read[place]) for place, count in wanted.items())


def rows(seen: Seen) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, took in seen.took_ms.items():
        cuts = quantiles(took, n=100)
        row = {"name": name, "count": len(took), "p50_ms": cuts[49], "p95_ms": cuts[94]}
        found.append(row | {"p99_ms": cuts[98], "target_p95_ms": TARGETS.get(name)})
    return found


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "threads.db"
        app = application(log)
        key = asyncio.run(fill(app))
        app.close()
        with served(log) as url:
            seen = asyncio.run(measure(url, key, seconds))
    errors, lost = dict(seen.errors), missing(seen)
    print(f"{OPEN} open contacts, {STREAMS} streams, {PER_SECOND} requests/s for {seconds} s")
    print(f"| {'what':<13} | count |  p50 ms |  p95 ms |  p99 ms | target p95 |")
    for row in rows(seen):
        target = f"{row['target_p95_ms']:.0f}" if row["target_p95_ms"] else ""
        times = " | ".join(f"{row[name]:7.1f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        print(f"| {row['name']:<13} | {row['count']:5} | {times} | {target:>10} |")
    print(f"errors: {errors or 'none'}; events that a stream lost or saw twice: {lost}")
    build = Path("build")
    build.mkdir(exist_ok=True)
    result = {"seconds": seconds, "rows": rows(seen), "errors": errors, "lost": lost}
    (build / "bench-server.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
