"""Gemini's API through the real SDK, against a server on the loopback interface."""

import json
from typing import Any

import pytest

from models.gemini_replies import blocks, calls, chunk, response, says, streams
from models.server import Vendor, failed, replied, streamed
from small import Done, Look
from strict.loopback import Reply
from twelvefold.exceptions import ModelFailed, UnusableModel
from twelvefold.messages import Message, ModelRequest, Part, Usage, message
from twelvefold.models.gemini import GeminiModel
from twelvefold.schemas import GEMINI, export, schema_of
from twelvefold.thread import to_text

pytestmark = pytest.mark.anyio

STEP = '{"intent":"look","what":"täg"}'
SCHEMA = schema_of(Look | Done)
ASKED = ModelRequest(
    (
        message("system", "be brief"),
        Message("user", (Part("a\n", cache=True), Part("b é"))),
        message("assistant", "c"),
    ),
    SCHEMA,
)
USED = Usage(input=100, output=30, cache_read=64, reasoning=10)


def model(vendor: Vendor, **how: Any) -> GeminiModel:
    return GeminiModel("gemini-test", base_url=vendor.url, **how)


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
@pytest.mark.parametrize("partial", [None, lambda text, request: None])
async def test_what_is_sent_is_the_body(vendor: Vendor, mode: Any, partial):
    vendor.will(streams(STEP) if partial else says(STEP))
    asked = model(vendor, mode=mode, on_partial=partial, options={"generationConfig": {"topK": 1}})
    await asked(ASKED)

    [request] = vendor.requests
    verb = "streamGenerateContent?alt=sse" if partial else "generateContent"
    assert request.path.endswith(f"/models/gemini-test:{verb}")
    assert request.body == json.dumps(asked.body(ASKED)).encode()  # as the SDK writes JSON


async def test_what_is_sent_without_a_schema_is_the_body(vendor: Vendor):
    vendor.will(says("hi"))
    asked = ModelRequest((message("user", "hi"),))
    await model(vendor)(asked)

    assert vendor.requests[0].body == json.dumps(model(vendor).body(asked)).encode()


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
def test_the_messages_hold_the_users_text_and_nothing_else(mode: Any):
    body = GeminiModel("m", mode=mode).body(ASKED)

    assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "a\n"}, {"text": "b é"}]},
        {"role": "model", "parts": [{"text": "c"}]},
    ]


def test_the_native_mode_sends_the_exported_schema():
    form = GeminiModel("m").body(ASKED)["generationConfig"]

    assert to_text(form["responseJsonSchema"]) == export(SCHEMA, GEMINI).text
    assert form["responseMimeType"] == "application/json"


def test_the_tool_mode_forces_one_function():
    body = GeminiModel("m", mode="tool").body(ASKED)
    [function] = body["tools"][0]["functionDeclarations"]

    assert to_text(function["parametersJsonSchema"]) == export(SCHEMA, GEMINI).text
    assert body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"


def test_options_go_into_the_objects_that_are_there():
    form = GeminiModel("m", options={"generationConfig": {"temperature": 0}}).body(ASKED)

    assert set(form["generationConfig"]) == {
        "temperature",
        "responseMimeType",
        "responseJsonSchema",
    }


async def test_thoughts_count_as_output(vendor: Vendor):
    vendor.will(says(STEP))
    reply = await model(vendor)(ASKED)

    assert (reply.text, reply.finish, reply.model) == (STEP, "end", "gemini-test-2026")
    assert reply.usage == USED


async def test_thoughts_are_no_part_of_the_reply(vendor: Vendor):
    vendor.will(replied(response({"text": "{}", "thought": True}, {"text": STEP})))

    assert (await model(vendor)(ASKED)).text == STEP


async def test_the_arguments_of_the_function_are_the_reply(vendor: Vendor):
    vendor.will(calls(json.loads(STEP)))

    assert (await model(vendor, mode="tool")(ASKED)).text == STEP


async def test_two_calls_are_two_lines_which_no_parser_takes_for_one_step(vendor: Vendor):
    vendor.will(calls({"a": 1}, {"a": 2}))

    assert (await model(vendor, mode="tool")(ASKED)).text == '{"a":1}\n{"a":2}'


async def test_a_call_of_another_name_keeps_it(vendor: Vendor):
    vendor.will(calls({}, name="rm"))

    assert json.loads((await model(vendor)(ASKED)).text)["name"] == "rm"


@pytest.mark.parametrize(
    ("given", "finish"),
    [
        ("STOP", "end"),
        ("MAX_TOKENS", "truncated"),
        ("SAFETY", "refused"),
        ("PROHIBITED_CONTENT", "refused"),
        ("MALFORMED_FUNCTION_CALL", "other"),
    ],
)
async def test_finish_reasons_are_normalised(vendor: Vendor, given: str, finish: str):
    vendor.will(says(STEP, finish=given))

    assert (await model(vendor)(ASKED)).finish == finish


async def test_a_reply_that_was_filtered_away_says_why(vendor: Vendor):
    vendor.will(replied({"candidates": [{"finishReason": "SAFETY"}]}))
    reply = await model(vendor)(ASKED)

    assert (reply.text, reply.finish) == ("SAFETY", "refused")


async def test_a_blocked_prompt_is_a_refusal(vendor: Vendor):
    vendor.will(blocks("PROHIBITED_CONTENT"))
    reply = await model(vendor)(ASKED)

    assert (reply.text, reply.finish, reply.usage.input) == ("PROHIBITED_CONTENT", "refused", 100)


@pytest.mark.parametrize("given", [replied({}), Reply(200, (b"<html>",))])
async def test_what_is_no_response_is_a_failure(vendor: Vendor, given: Reply):
    vendor.will(given)

    with pytest.raises(ModelFailed) as raised:
        await model(vendor, tries_max=1)(ASKED)
    assert raised.value.reason == "unreadable"


async def test_the_pause_that_the_body_asks_for_is_kept(vendor: Vendor):
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.05s"}
    error = {"code": 429, "message": "slow down", "status": "X", "details": [wait]}
    vendor.will(replied({"error": error}, status=429), says(STEP))
    reply = await model(vendor)(ASKED)

    assert [attempt.waited_s for attempt in reply.attempts] == [0.05]


async def test_a_key_that_is_not_valid_is_answered_with_400(vendor: Vendor):
    vendor.will(failed(400, "API key not valid. Please pass a valid API key."))

    with pytest.raises(UnusableModel, match="GEMINI_API_KEY"):
        await model(vendor)(ASKED)


# Streams


@pytest.mark.parametrize("tool", [False, True])
async def test_a_streamed_reply_is_the_same_as_a_whole_one(vendor: Vendor, tool: bool):
    shown: list[str] = []
    vendor.will(streams(STEP, tool=tool))
    reply = await model(vendor, on_partial=lambda text, request: shown.append(text))(ASKED)

    assert (reply.text, reply.finish, reply.usage) == (STEP, "end", USED)
    assert shown == ([STEP] if tool else [STEP[: len(STEP) // 2], STEP])


@pytest.mark.parametrize("ends", ["cut", "closed"])
async def test_a_stream_without_its_end_is_truncated(vendor: Vendor, ends: str):
    whole = chunk({"text": STEP})
    vendor.will(streams(STEP, cut_after=2) if ends == "cut" else streamed(whole))
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.text, reply.finish) == (STEP, "truncated")


async def test_a_stream_that_says_nothing_is_tried_again(vendor: Vendor):
    vendor.will(streams(STEP, cut_after=0), streams(STEP))
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.finish, len(reply.attempts)) == ("end", 1)


async def test_a_prompt_that_is_blocked_while_streaming_is_a_refusal(vendor: Vendor):
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}}
    vendor.will(streamed(f"data: {json.dumps(feedback)}\n\n"))

    assert (await model(vendor, on_partial=lambda *args: None)(ASKED)).finish == "refused"


# The key


async def test_without_a_key_the_model_says_which_one():
    with pytest.raises(UnusableModel, match="set GEMINI_API_KEY"):
        await GeminiModel("gemini-x")(ASKED)


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
async def test_the_key_may_be_in_the_environment(vendor: Vendor, monkeypatch, name: str):
    monkeypatch.setenv(name, "k-1")
    vendor.will(says(STEP))
    await model(vendor)(ASKED)

    assert vendor.requests[0].headers["x-goog-api-key"] == "k-1"
