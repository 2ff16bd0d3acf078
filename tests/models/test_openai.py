"""OpenAI's Chat Completions through the real SDK, against a server on the loopback interface."""

import json
from typing import Any

import pytest

from models.openai_replies import USAGE, calls, chunk, refuses, says, streams
from models.server import Vendor, failed, replied, streamed
from small import Done, Look
from twelvefold.exceptions import ConfigurationError, ModelFailed, UnusableModel
from twelvefold.messages import Message, ModelRequest, Part, Usage, message
from twelvefold.models.openai import OpenAIModel, reply_of
from twelvefold.schemas import OPENAI, PLAIN, export, schema_of
from twelvefold.thread import to_text

pytestmark = pytest.mark.anyio

STEP = '{"intent":"look","what":"täg"}'
SCHEMA = schema_of(Look | Done)
ASKED = ModelRequest(
    (message("system", "be brief"), Message("user", (Part("a\n", cache=True), Part("b é")))), SCHEMA
)


def model(vendor: Vendor, **how: Any) -> OpenAIModel:
    return OpenAIModel("gpt-test", base_url=vendor.url, **how)


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
@pytest.mark.parametrize("partial", [None, lambda text, request: None])
async def test_the_bytes_that_are_sent_are_those_of_the_body(vendor: Vendor, mode: Any, partial):
    vendor.will(streams(STEP) if partial else says(STEP))
    asked = model(vendor, mode=mode, on_partial=partial, options={"temperature": 0})
    await asked(ASKED)

    [request] = vendor.requests
    assert request.path == "/chat/completions"
    assert request.body.decode() == to_text(asked.body(ASKED))


@pytest.mark.parametrize("mode", ["native", "tool", "prompt"])
async def test_the_messages_hold_the_users_text_and_nothing_else(vendor: Vendor, mode: Any):
    body = model(vendor, mode=mode).body(ASKED)

    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "a\nb é"},
    ]


def test_the_native_mode_sends_the_exported_schema():
    form = OpenAIModel("m").body(ASKED)["response_format"]["json_schema"]

    assert to_text(form["schema"]) == export(SCHEMA, OPENAI).text
    assert (form["name"], form["strict"]) == ("next_step", True)


def test_the_tool_mode_forces_one_tool():
    body = OpenAIModel("m", mode="tool").body(ASKED)
    [tool] = body["tools"]

    assert to_text(tool["function"]["parameters"]) == export(SCHEMA, PLAIN).text
    assert body["tool_choice"]["function"]["name"] == tool["function"]["name"] == "next_step"


def test_without_a_schema_every_mode_sends_the_messages_alone():
    for mode in ("native", "tool", "prompt"):
        body = OpenAIModel("m", mode=mode).body(ModelRequest((message("user", "hi"),)))
        assert set(body) == {"model", "messages"}


def test_options_go_over_our_fields_and_none_takes_one_away():
    shown = OpenAIModel("m", on_partial=print, options={"seed": 1, "stream_options": None})

    body = shown.body(ASKED)
    assert (body["seed"], "stream_options" in body, body["stream"]) == (1, False, True)


def test_options_must_be_json():
    with pytest.raises(ConfigurationError, match="must be JSON"):
        OpenAIModel("m", options={"stop": object()})


def test_a_lone_surrogate_is_sent_as_the_replacement_character():
    body = OpenAIModel("m").body(ModelRequest((message("user", "a\ud800b"),)))

    assert body["messages"][0]["content"] == "a\ufffdb"


async def test_a_reply_is_its_text_its_usage_and_its_model(vendor: Vendor):
    vendor.will(says(STEP))
    reply = await model(vendor)(ASKED)

    assert (reply.text, reply.finish, reply.model) == (STEP, "end", "gpt-test-2026")
    assert reply.usage == Usage(input=100, output=30, cache_read=64, reasoning=10)
    assert reply.attempts == ()


async def test_the_arguments_of_the_tool_are_the_text_as_the_model_wrote_it(vendor: Vendor):
    vendor.will(calls('{ "next_step" : 1.50 }'))

    assert (await model(vendor, mode="tool")(ASKED)).text == '{ "next_step" : 1.50 }'


async def test_two_calls_are_two_lines_which_no_parser_takes_for_one_step(vendor: Vendor):
    vendor.will(calls('{"intent":"look"}', '{"intent":"deploy"}'))

    assert (await model(vendor, mode="tool")(ASKED)).text.count("\n") == 1


async def test_a_call_of_another_name_keeps_it(vendor: Vendor):
    vendor.will(calls("{}", name="rm"))

    assert json.loads((await model(vendor)(ASKED)).text) == {"name": "rm", "arguments": "{}"}


@pytest.mark.parametrize(
    ("given", "finish"),
    [
        ("stop", "end"),
        ("tool_calls", "end"),
        ("length", "truncated"),
        ("content_filter", "refused"),
        ("something_new", "other"),
    ],
)
async def test_finish_reasons_are_normalised(vendor: Vendor, given: str, finish: str):
    vendor.will(says(STEP, finish=given))

    assert (await model(vendor)(ASKED)).finish == finish


async def test_a_refusal_is_what_the_vendor_said(vendor: Vendor):
    vendor.will(refuses("I cannot help with that."))
    reply = await model(vendor)(ASKED)

    assert (reply.finish, reply.text) == ("refused", "I cannot help with that.")


def test_a_cost_that_the_server_names_is_taken():
    data = {"choices": [{"message": {"content": ""}}], "usage": {**USAGE, "cost": 0.25}}

    assert reply_of(data).usage.cost == 0.25


@pytest.mark.parametrize(
    "given", [replied({"error": {"message": "upstream is down"}}), replied([]), replied("hi")]
)
async def test_what_is_no_chat_completion_is_a_failure(vendor: Vendor, given):
    vendor.will(given)

    with pytest.raises(ModelFailed) as raised:
        await model(vendor, tries_max=1)(ASKED)
    assert raised.value.reason == "unreadable"


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_error_that_a_router_sends_with_200_has_the_status_it_names(
    vendor: Vendor, streaming: bool
):
    error = {"error": {"code": 429, "message": "upstream is busy"}}
    event = f"data: {json.dumps(error)}\n\n"
    vendor.will(streamed(event) if streaming else replied(error))
    shown = (lambda *args: None) if streaming else None

    with pytest.raises(ModelFailed, match="upstream is busy") as raised:
        await model(vendor, tries_max=1, on_partial=shown)(ASKED)
    assert (raised.value.reason, raised.value.status) == ("rate_limited", 429)


async def test_a_quota_without_credit_parks_at_once(vendor: Vendor):
    error = {"message": "You exceeded your current quota.", "code": "insufficient_quota"}
    vendor.will(replied({"error": error}, status=429))

    with pytest.raises(UnusableModel, match="no credit"):
        await model(vendor)(ASKED)
    assert len(vendor.requests) == 1


async def test_content_may_be_a_list_of_parts(vendor: Vendor):
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "{}"}]}
    data = {"choices": [{"message": {"content": [thought, {"type": "text", "text": STEP}]}}]}
    vendor.will(replied(data))

    assert (await model(vendor)(ASKED)).text == STEP


# Streams


@pytest.mark.parametrize("tool", [False, True])
async def test_a_streamed_reply_is_the_same_as_a_whole_one(vendor: Vendor, tool: bool):
    shown: list[tuple[str, ModelRequest]] = []
    vendor.will(streams(STEP, tool=tool))
    reply = await model(vendor, on_partial=lambda *args: shown.append(args))(ASKED)

    assert (reply.text, reply.finish) == (STEP, "end")
    assert reply.usage == Usage(input=100, output=30, cache_read=64, reasoning=10)
    assert [text for text, _ in shown] == [STEP[: len(STEP) // 2], STEP]
    assert {request is ASKED for _, request in shown} == {True}


@pytest.mark.parametrize("ends", ["cut", "closed"])
async def test_a_stream_without_its_end_is_truncated(vendor: Vendor, ends: str):
    whole = chunk({"content": STEP})
    vendor.will(streams(STEP, cut_after=2) if ends == "cut" else streamed(whole))
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.text, reply.finish) == (STEP, "truncated")


async def test_a_stream_that_says_nothing_is_tried_again(vendor: Vendor):
    vendor.will(streams(STEP, cut_after=0), streams(STEP))
    reply = await model(vendor, on_partial=lambda *args: None)(ASKED)

    assert (reply.finish, len(reply.attempts)) == ("end", 1)


async def test_an_error_within_a_stream_is_a_failure(vendor: Vendor):
    error = {"error": {"message": "overloaded", "code": "server_error"}}
    vendor.will(streamed(chunk({"content": "{"}), f"data: {json.dumps(error)}\n\n"))

    with pytest.raises(ModelFailed, match="overloaded") as raised:
        await model(vendor, on_partial=lambda *args: None, tries_max=1)(ASKED)
    assert raised.value.reason == "unavailable"


async def test_what_the_display_raises_does_not_end_the_call(vendor: Vendor, caplog):
    def broken(text: str, request: ModelRequest) -> None:
        raise ValueError("no terminal")

    vendor.will(streams(STEP))

    assert (await model(vendor, on_partial=broken)(ASKED)).text == STEP
    assert "no terminal" in caplog.text


# The SDK and the key


async def test_without_a_key_the_model_says_which_one(vendor: Vendor):
    with pytest.raises(UnusableModel, match="set OPENAI_API_KEY"):
        await OpenAIModel("gpt-5")(ASKED)


async def test_the_key_and_the_address_may_be_in_the_environment(vendor: Vendor, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    vendor.will(says(STEP))
    await OpenAIModel("gpt-5")(ASKED)

    assert vendor.requests[0].headers["authorization"] == "Bearer sk-1"


async def test_a_key_never_stands_in_an_error(vendor: Vendor):
    vendor.will(failed(401, "Incorrect API key provided: sk-secret-1."))

    with pytest.raises(UnusableModel) as raised:
        await model(vendor, api_key="sk-secret-1")(ASKED)
    assert "sk-secret-1" not in str(raised.value)


async def test_a_client_of_your_own_is_used_as_it_is(vendor: Vendor):
    from openai import AsyncOpenAI

    vendor.will(says(STEP))
    async with AsyncOpenAI(base_url=vendor.url, api_key="mine") as client:
        await OpenAIModel("m", client=client)(ASKED)

    assert vendor.requests[0].headers["authorization"] == "Bearer mine"
