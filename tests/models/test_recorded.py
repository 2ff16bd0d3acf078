"""Recorded calls: replayed to the byte, a miss says what differs, and no secret is in the file."""

import asyncio
import json
from pathlib import Path

import pytest

from models.openai_replies import says
from models.server import Vendor
from small import Done, Look
from twelvefold import ScriptedModel
from twelvefold.exceptions import ConfigurationError, NotRecorded
from twelvefold.messages import Message, ModelReply, ModelRequest, Part, Usage, message
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.recorded import DIFF_LINES_MAX, recorded
from twelvefold.schemas import schema_of

pytestmark = pytest.mark.anyio

SCHEMA = schema_of(Look | Done)
ASKED = ModelRequest(
    (message("system", "be brief"), Message("user", (Part("a\n", cache=True), Part("b é\ud800")))),
    SCHEMA,
    agent="bot",
)
REPLY = ModelReply(
    '{"intent":"look"}\n', "end", Usage(input=10, output=3, cache_read=4, cost=0.5), model="m-1"
)


class Counting:
    """Replies the same each time, and counts."""

    def __init__(self, reply: ModelReply = REPLY) -> None:
        self.reply, self.calls = reply, 0

    async def __call__(self, request: ModelRequest) -> ModelReply:
        self.calls += 1
        return self.reply


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "replies.jsonl"


async def test_what_is_recorded_is_replayed_without_the_model(path: Path):
    model = Counting()
    await recorded(path, model, mode="record")(ASKED)

    assert await recorded(path)(ASKED) == REPLY
    assert model.calls == 1


async def test_auto_asks_once_and_replays_from_then_on(path: Path):
    model = Counting()
    for _ in range(2):
        auto = recorded(path, model, mode="auto")
        assert [await auto(ASKED), await auto(ASKED)] == [REPLY, REPLY]

    assert model.calls == 1
    assert len(lines(path)) == 1


async def test_of_two_recordings_the_later_one_counts(path: Path):
    later = ModelReply("no", "refused", model="m-2")
    for reply in (REPLY, REPLY, later):
        await recorded(path, Counting(reply), mode="record")(ASKED)

    assert await recorded(path)(ASKED) == later
    assert len(lines(path)) == 2


async def test_calls_side_by_side_are_whole_lines(path: Path):
    model = recorded(path, Counting(), mode="record")
    asked = [ModelRequest((message("user", f"{n} " * 3000),), SCHEMA) for n in range(20)]
    await asyncio.gather(*map(model, asked))

    replay = recorded(path)
    assert [await replay(one) for one in asked] == [REPLY] * 20


async def test_a_miss_says_what_differs(path: Path):
    await recorded(path, Counting(), mode="record")(ASKED)
    changed = ModelRequest((message("system", "be kind"), *ASKED.messages[1:]), SCHEMA, agent="bot")

    with pytest.raises(NotRecorded) as raised:
        await recorded(path)(changed)
    said = str(raised.value)
    assert "holds no reply to turn 1 of 'bot'. The nearest one differs:" in said
    assert "-be brief\n+be kind" in said


async def test_the_steps_on_offer_are_part_of_the_request(path: Path):
    await recorded(path, Counting(), mode="record")(ASKED)

    with pytest.raises(NotRecorded) as raised:
        await recorded(path)(ModelRequest(ASKED.messages, schema_of(Look)))
    shown = str(raised.value).split("\n")
    assert any(line.startswith("-") and '"done_for_now"' in line for line in shown)
    assert len(shown) <= DIFF_LINES_MAX + 2


async def test_a_cache_mark_is_part_of_the_request(path: Path):
    await recorded(path, Counting(), mode="record")(ASKED)
    unmarked = ModelRequest((ASKED.messages[0], message("user", "a\nb é\ud800")), SCHEMA)

    with pytest.raises(NotRecorded, match=r"\n---- cache\n"):
        await recorded(path)(unmarked)


async def test_a_recording_that_is_not_there_is_said(path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await recorded(path)(ASKED)


async def test_an_empty_recording_is_said(tmp_path: Path):
    empty = written(tmp_path / "empty.jsonl", "")

    with pytest.raises(NotRecorded, match="it is empty"):
        await recorded(empty)(ASKED)


@pytest.mark.parametrize("line", ["{", "[]", '{"hash": "a"}', '{"hash":"a","reply":{"text":1}}'])
async def test_a_line_that_is_none_is_named(path: Path, line: str):
    await recorded(path, Counting(), mode="record")(ASKED)
    with path.open("a") as file:
        file.write(line)

    with pytest.raises(ConfigurationError, match=r"replies\.jsonl, line 2 is no recorded call"):
        await recorded(path)(ASKED)


async def test_what_a_model_raises_is_not_recorded(path: Path):
    async def broken(request: ModelRequest) -> ModelReply:
        raise ConnectionError("no network")

    with pytest.raises(ConnectionError):
        await recorded(path, broken, mode="auto")(ASKED)
    assert not list(path.parent.parent.rglob("*.jsonl"))


def test_a_mode_that_needs_a_model_says_so(path: Path):
    with pytest.raises(ConfigurationError, match="needs the model that it records"):
        recorded(path, mode="auto")
    with pytest.raises(ConfigurationError, match="one of replay, record, auto"):
        recorded(path, mode="rewind")  # pyright: ignore[reportArgumentType]


def test_only_a_replay_is_offline(path: Path):
    assert recorded(path).offline
    assert not recorded(path, Counting(), mode="auto").offline
    assert ScriptedModel([]).offline


async def test_no_key_and_no_address_is_in_the_file(path: Path, vendor: Vendor):
    vendor.will(says('{"intent":"look","what":"x"}'))
    model = OpenAIModel("gpt-test", base_url=vendor.url, api_key="sk-canary-4711")
    request = ModelRequest((message("user", "hi"),), SCHEMA)
    await recorded(path, model, mode="record")(request)

    assert b"sk-canary-4711" in str(vendor.requests[0].headers).encode()
    [text] = lines(path)
    assert "sk-canary" not in text
    assert vendor.url.removeprefix("http://") not in text
    assert set(json.loads(text)) == {"hash", "agent", "turn", "messages", "schema", "reply"}


def test_what_would_be_sent_can_be_shown_through_a_recording(path: Path):
    model = OpenAIModel("gpt-test", api_key="k")

    assert recorded(path, model, mode="auto").body(ASKED) == model.body(ASKED)
    assert not hasattr(recorded(path), "body")
