"""What the models of all vendors share: tries, pauses, options, clients."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from twelvefold.exceptions import ModelFailed, UnusableModel
from twelvefold.messages import ModelReply
from twelvefold.vendors import client_for, load, tried, with_options
from twelvefold.vendors.failures import retry_after_s

pytestmark = pytest.mark.anyio


class Flaky:
    """Fails so often, then replies; `left`: the seconds that each try was given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.left = list(errors), list[float]()

    async def __call__(self, left_s: float) -> ModelReply:
        self.left.append(left_s)
        if self.errors:
            raise self.errors.pop(0)
        return ModelReply("ok")


def passing(retry_after_s: float | None = 0.0) -> ModelFailed:
    return ModelFailed("unavailable", "down", passes=True, retry_after_s=retry_after_s)


async def test_every_try_gets_the_time_that_is_left():
    call = Flaky(passing(0.05), passing(0.05))
    reply = await tried(call, timeout_s=5)

    assert call.left[0] > call.left[1] > call.left[2]
    assert [attempt.waited_s for attempt in reply.attempts] == [0.05, 0.05]
    assert reply.latency_s >= 0.1


async def test_pauses_grow_and_are_never_the_same():
    reply = await tried(Flaky(passing(None), passing(None)), timeout_s=30)
    first, second = (attempt.waited_s for attempt in reply.attempts)

    assert 0.5 <= first <= 1.0 <= second <= 1.5


async def test_a_pause_that_would_end_after_the_deadline_is_not_begun():
    call = Flaky(passing(5.0))

    with pytest.raises(ModelFailed) as raised:
        await tried(call, timeout_s=1)
    assert (len(call.left), len(raised.value.attempts)) == (1, 1)


@pytest.mark.parametrize("error", [ModelFailed("bad_request", "no"), UnusableModel("no key")])
async def test_what_does_not_pass_is_not_tried_again(error: Exception):
    call = Flaky(error)

    with pytest.raises(type(error)):
        await tried(call, timeout_s=5)
    assert len(call.left) == 1


async def test_a_timeout_of_the_client_is_not_taken_for_ours():
    with pytest.raises(TimeoutError, match="theirs"):
        await tried(Flaky(TimeoutError("theirs")), timeout_s=5)


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
    ],
)
def test_the_pause_asked_for_is_read_in_every_form(headers: dict[str, str], pause_s: float):
    assert retry_after_s(headers) == pause_s


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_the_pause_asked_for_may_be_a_date(zone: str):
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    found = retry_after_s({"retry-after": later.replace("GMT", zone)})

    assert found is not None
    assert 1800 < found <= 3600


@pytest.mark.parametrize(
    "headers",
    [{}, {"retry-after": "soon"}, {"retry-after": "nan"}, {"retry-after-ms": "nan"}],
)
def test_no_pause_is_read_from_nothing(headers: dict[str, str]):
    assert retry_after_s(headers) is None


def test_options_change_only_what_they_name():
    body = {"a": 1, "in": {"b": 2, "c": [3]}}

    assert with_options(body, {"in": {"b": None, "d": 4}, "a": 0}) == {
        "a": 0,
        "in": {"c": [3], "d": 4},
    }
    assert body == {"a": 1, "in": {"b": 2, "c": [3]}}


class Client:
    """Remembers that it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def test_a_loop_has_one_client_of_each_kind_and_closes_them():
    async def both() -> list[Any]:
        return [await client_for(kind, Client) for kind in ("a", "a", "b")]

    one, same, other = asyncio.run(both())

    assert one is same is not other
    assert (one.closed, other.closed) == (True, True)
    assert asyncio.run(both())[0] is not one


def test_a_missing_extra_is_named():
    with pytest.raises(UnusableModel, match=r"pip install 'twelvefold\[openai\]'"):
        load("nothing_of_this_name", extra="openai")


LAZY = """
import sys
import twelvefold.models.{module}
sdks = {{"openai", "anthropic", "google.genai", "tenacity", "httpx", "httpx2"}}
sys.exit(", ".join(sdks & set(sys.modules)) or None)
"""


@pytest.mark.parametrize("module", ["openai", "anthropic", "gemini", "composed", "human"])
def test_importing_a_model_loads_no_sdk(module: str):
    code = LAZY.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.PIPE)

    assert (done.returncode, done.stderr) == (0, b"")
