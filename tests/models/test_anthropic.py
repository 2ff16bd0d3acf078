"""Anthropic's Messages API through the real SDK, against a server on the loopback interface."""

import json
from typing import Any

import pytest

from models.anthropic_replies import calls, event, made, says, streams
from models.server import Vendor, replied, streamed
from small import Done, Look
from twelvefold.exceptions import ModelFailed, UnusableModel
from twelvefold.messages import Message, ModelRequest, Part, Usage, message
from twelvefold.models.anthropic import CACHE_MARKS_MAX, AnthropicModel
from twelvefold.schemas import ANTHROPIC, PLAIN, export, schema_of
from twelvefold.thread import to_text

pytestmark = pytest.mark.anyio

STEP = '{"intent":"look","what":"täg"}'
SCHEMA = schema_of(Look | Done)
ASKED = ModelRequest(
    (message("system", "be brief"), Message("user", (Part("a\n", cache=True), Part("b é")))), SCHEMA
)
USED = Usage(input=100, output=30, cache_read=70, cache_write=10, reasoning=10)


def model(vendor: Vendor, **how: Any) -> AnthropicModel:
    return AnthropicModel("claude-test", base_url=vendor.url, **how)


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
@pytest.mark.parametrize("partial", [None, lambda text, request: None])
async def test_the_bytes_that_are_sent_are_those_of_the_body(vendor: Vendor, mode: Any, partial):
    vendor.will(streams(STEP) if partial else says(STEP))
    asked = model(vendor, mode=mode, on_partial=partial, options={"temperature": 0})
    await asked(ASKED)

    [request] = vendor.requests
    assert request.path == "/v1/messages"
    assert request.body.decode() == to_text(asked.body(ASKED))


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
def test_the_messages_hold_the_users_text_and_nothing_else(mode: Any):
    body = AnthropicModel("m", mode=mode).body(ASKED)

    assert body["system"] == [{"type": "text", "text": "be brief"}]
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a\n", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "b é"},
            ],
        }
    ]


def spoken(*parts: Part) -> list[tuple[str, bool]]:
    body = AnthropicModel("m").body(ModelRequest((Message("user", parts),)))
    return [(one["text"], "cache_control" in one) for one in body["messages"][0]["content"]]


def test_no_block_is_blank():
    assert spoken(Part("a"), Part(" "), Part("b")) == [("a", False), (" b", False)]
    assert spoken(Part("a"), Part("\n")) == [("a\n", False)]
    assert spoken(Part("a"), Part("\n", cache=True)) == [("a", True)]


def test_blanks_at_the_end_do_not_change_what_is_cached():
    assert spoken(Part("a", cache=True), Part("\n")) == [("a", True)]


def test_the_native_mode_sends_the_exported_schema():
    form = AnthropicModel("m").body(ASKED)["output_config"]["format"]

    assert form["type"] == "json_schema"
    assert to_text(form["schema"]) == export(SCHEMA, ANTHROPIC).text


def test_the_tool_mode_forces_one_tool():
    body = AnthropicModel("m", mode="tool").body(ASKED)
    [tool] = body["tools"]

    assert to_text(tool["input_schema"]) == export(SCHEMA, PLAIN).text
    assert body["tool_choice"]["name"] == tool["name"] == "next_step"


def test_later_system_messages_stay_where_they_are():
    said = (message("system", "a"), message("user", "b"), message("system", "c"))
    body = AnthropicModel("m").body(ModelRequest(said))

    assert [block["text"] for block in body["system"]] == ["a"]
    assert [turn["role"] for turn in body["messages"]] == ["user", "system"]


def test_no_more_cache_marks_are_sent_than_the_vendor_takes():
    parts = tuple(Part(str(n), cache=True) for n in range(CACHE_MARKS_MAX + 2))
    said = (Message("system", parts[:1]), Message("user", parts[1:]))
    body = AnthropicModel("m").body(ModelRequest(said))

    blocks = body["system"] + body["messages"][0]["content"]
    assert [b["text"] for b in blocks if "cache_control" in b] == ["2", "3", "4", "5"]


def test_empty_parts_are_left_out():
    body = AnthropicModel("m").body(ModelRequest((Message("user", (Part(""), Part("a"))),)))

    assert body["messages"][0]["content"] == [{"type": "text", "text": "a"}]


async def test_usage_counts_all_that_the_model_read(vendor: Vendor):
    vendor.will(says(STEP))
    reply = await model(vendor)(ASKED)

    assert (reply.text, reply.finish, reply.model) == (STEP, "end", "claude-test-2026")
    assert reply.usage == USED


async def test_the_input_of_the_tool_is_the_reply(vendor: Vendor):
    vendor.will(calls({"intent": "look", "what": "täg"}))

    assert (await model(vendor, mode="tool")(ASKED)).text == STEP


async def test_two_calls_are_two_lines_which_no_parser_takes_for_one_step(vendor: Vendor):
    vendor.will(calls({"a": 1}, {"a": 2}))

    assert (await model(vendor, mode="tool")(ASKED)).text == '{"a":1}\n{"a":2}'


async def test_a_call_of_another_name_keeps_it(vendor: Vendor):
    vendor.will(calls({}, name="rm"))

    assert json.loads((await model(vendor)(ASKED)).text)["name"] == "rm"


async def test_thinking_is_no_part_of_the_reply(vendor: Vendor):
    vendor.will(made({"type": "thinking", "thinking": "{}"}, {"type": "text", "text": STEP}))

    assert (await model(vendor)(ASKED)).text == STEP


@pytest.mark.parametrize(
    ("given", "finish"),
    [
        ("end_turn", "end"),
        ("stop_sequence", "end"),
        ("max_tokens", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("refusal", "refused"),
        ("pause_turn", "other"),
    ],
)
async def test_stop_reasons_are_normalised(vendor: Vendor, given: str, finish: str):
    vendor.will(says(STEP, finish=given))

    assert (await model(vendor)(ASKED)).finish == finish


async def test_what_is_no_message_is_a_failure(vendor: Vendor):
    vendor.will(replied({"type": "completion"}))

    with pytest.raises(ModelFailed) as raised:
        await model(vendor, tries_max=1)(ASKED)
    assert raised.value.reason == "unreadable"


# Streams


@pytest.mark.parametrize("tool", [False, True])
async def test_a_streamed_reply_is_the_same_as_a_whole_one(vendor: Vendor, tool: bool):
    shown: list[str] = []
    vendor.will(streams(STEP, tool=tool))
    reply = await model(vendor, on_partial=lambda text, request: shown.append(text))(ASKED)

    assert (reply.text, reply.finish, reply.usage) == (STEP, "end", USED)
    assert shown == [STEP[: len(STEP) // 2], STEP]


@pytest.mark.parametrize("ends", ["cut", "closed"])
async def test_a_stream_without_its_end_is_truncated(vendor: Vendor, ends: str):
    whole = streams(STEP)
    begun = streamed(*(chunk.decode() for chunk in whole.chunks[:4]))
    vendor.will(streams(STEP, cut_after=4) if ends == "cut" else begun)
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.text, reply.finish) == (STEP, "truncated")


async def test_a_stream_that_says_nothing_is_tried_again(vendor: Vendor):
    vendor.will(streams(STEP, cut_after=0), streams(STEP))
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.finish, len(reply.attempts)) == ("end", 1)


async def test_an_error_within_a_stream_has_the_status_of_its_kind(vendor: Vendor):
    error = {"type": "overloaded_error", "message": "Overloaded"}
    vendor.will(streamed(event("error", error=error)))

    with pytest.raises(ModelFailed, match="Overloaded") as raised:
        await model(vendor, on_partial=lambda *args: None, tries_max=1)(ASKED)
    assert (raised.value.reason, raised.value.status) == ("unavailable", 529)


# The key


async def test_without_a_key_the_model_says_which_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where the SDK looks for a login of yours

    with pytest.raises(UnusableModel, match="set ANTHROPIC_API_KEY"):
        await AnthropicModel("claude-opus-4-5")(ASKED)


async def test_a_login_that_the_sdk_cannot_read_parks_too(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))

    with pytest.raises(UnusableModel, match="Config file not found"):
        await AnthropicModel("claude-opus-4-5")(ASKED)


async def test_the_key_and_the_address_may_be_in_the_environment(vendor: Vendor, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", vendor.url)
    vendor.will(says(STEP))
    await AnthropicModel("claude-opus-4-5")(ASKED)

    assert "sk-1" in str(vendor.requests[0].headers)
