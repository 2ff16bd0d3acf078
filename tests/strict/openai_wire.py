"""Chat completions as OpenAI takes and gives them: strict structured output, forced tool, plain."""

import json
import re
from collections.abc import Iterator
from typing import Any

from openai.types.chat import ChatCompletionContentPartTextParam
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from strict.asking import (
    Asked,
    Refused,
    Said,
    body_of,
    checked,
    file_of,
    named,
    needed,
    only,
    text_of,
    tokens,
)
from strict.loopback import Reply, Request
from strict.rules import OPENAI

PATH = "/v1/chat/completions"
KNOWN = frozenset(CompletionCreateParamsBase.__annotations__) | {"stream"}
TEXT_PART = frozenset(ChatCompletionContentPartTextParam.__annotations__)
ROLES = frozenset({"developer", "system", "user", "assistant", "tool"})
MESSAGE = frozenset({"role", "content", "name", "refusal", "tool_calls", "tool_call_id"})
IMAGES = re.compile("data:image/(png|jpeg|gif|webp);base64,")
DOCUMENTS = re.compile("data:application/pdf;base64,")
CREATED = 1_795_000_000
STREAMED_CHARS = 7
REFUSAL = "I'm sorry, I cannot help with that."


def read(request: Request) -> Asked:
    """What the request asks for. Raises `Refused`."""
    if not request.headers.get("authorization", "").removeprefix("Bearer").strip():
        raise Refused("You didn't provide an API key.", status=401, code="invalid_api_key")
    body = body_of(request)
    only(body, KNOWN)
    model = needed(body, "model", str)
    texts = tuple(_texts(needed(body, "messages", list)))
    schema, tool = _structured(body.get("response_format"), texts), None
    if "tools" in body:
        schema, tool = _tool(body, schema)
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    return Asked(model, texts, schema, tool, bool(body.get("stream")), most)


def _texts(messages: list[Any]) -> Iterator[str]:
    if not messages:
        raise Refused("Invalid 'messages': empty array.", param="messages", code="empty_array")
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        where = f"messages[{number}]."
        only(message, MESSAGE, where)
        role = needed(message, "role", str, where)
        if role not in ROLES:
            raise Refused(f"Invalid value: '{role}'.", param=f"{where}role", code="invalid_value")
        if role == "tool" and message.get("tool_call_id") not in open_calls:
            raise Refused("messages with role 'tool' must be a response to a preceeding message")
        if role != "tool" and open_calls:
            raise Refused(f"'tool_calls' must be followed by tool messages: {open_calls}")
        open_calls.discard(message.get("tool_call_id", ""))
        open_calls |= {call["id"] for call in message.get("tool_calls", ())}
        if not message.get("tool_calls"):
            yield from _content(message.get("content"), where + "content")
    if open_calls:
        raise Refused(f"'tool_calls' must be followed by tool messages: {open_calls}")


def _content(content: Any, where: str) -> Iterator[str]:
    if not isinstance(content, list):
        yield text_of(content, where)
        return
    if not content:
        raise Refused(f"Invalid '{where}': empty array.", param=where, code="empty_array")
    for number, part in enumerate(content):
        at = f"{where}[{number}]."
        match part:
            case {"type": "image_url", "image_url": {"url": url, **rest}}:
                only(rest, {"detail"}, at)
                yield file_of(url, IMAGES, at)
            case {"type": "file", "file": {"file_data": url, "filename": str(), **rest}}:
                only(rest, (), at)
                yield file_of(url, DOCUMENTS, at)
            case _:
                only(part, TEXT_PART, at)
                yield text_of(part.get("text"), f"{at}text")


def _structured(format: Any, texts: tuple[str, ...]) -> str | None:
    match format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            if "json" not in "".join(texts).lower():
                raise Refused("'messages' must contain the word 'json' in some form")
            return '{"type":"object","additionalProperties":false,"properties":{},"required":[]}'
        case {"type": "json_schema", "json_schema": {"name": name, **rest}}:
            where = f"response_format '{named(name, 'response_format.json_schema.name')}'"
            only(rest, {"strict", "schema", "description"}, "response_format.json_schema.")
            if rest.get("strict") is not True:
                raise Refused("response_format.json_schema.strict: only strict is proven here")
            return checked(rest.get("schema"), OPENAI, where, "invalid_json_schema")
        case _:
            raise Refused("Invalid 'response_format'.", param="response_format")


def _tool(body: dict[str, Any], schema: str | None) -> tuple[str, str]:
    """The schema and the name of the tool that must be called."""
    if schema is not None:
        raise Refused("tools and response_format: which of them is meant?")
    schemas: dict[str, str] = {}
    for number, tool in enumerate(body["tools"]):
        where = f"tools[{number}].function."
        function = needed(tool, "function", dict, f"tools[{number}].")
        only(function, {"name", "description", "parameters", "strict"}, where)
        name = named(function.get("name"), where + "name")
        code = "invalid_function_parameters"
        rules = OPENAI if function.get("strict") else None
        schemas[name] = checked(function.get("parameters"), rules, f"function '{name}'", code)
    match body.get("tool_choice"):
        case {"type": "function", "function": {"name": name}} if name in schemas:
            return schemas[name], name
        case "required" if len(schemas) == 1:
            return next(iter(schemas.values())), next(iter(schemas))
        case _:
            raise Refused("Tool choice does not name one of 'tools'.", param="tool_choice")


def reply(asked: Asked, said: Said) -> Reply:
    if asked.stream:
        return Reply(
            chunks=[*_streamed(asked, said)], headers={"Content-Type": "text/event-stream"}
        )
    choice = {"index": 0, "logprobs": None, "message": _message(asked, said)}
    body = _envelope(asked, "chat.completion") | {
        "choices": [choice | {"finish_reason": _finish(said)}],
        "usage": _usage(asked, said),
    }
    return Reply(chunks=[json.dumps(body).encode()], headers={"x-request-id": "req_strict"})


def _envelope(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-strict", "object": kind, "created": CREATED, "model": asked.model}


def _message(asked: Asked, said: Said) -> dict[str, Any]:
    message = {"role": "assistant", "content": said.text, "refusal": None}
    if said.finish == "refused":
        return message | {"content": None, "refusal": REFUSAL}
    if asked.tool:
        call = {"name": asked.tool, "arguments": said.text}
        calls = [{"id": "call_strict", "type": "function", "function": call}]
        return message | {"content": None, "tool_calls": calls}
    return message


def _finish(said: Said) -> str:
    # A forced function ends with "stop" as well; only a free choice says "tool_calls".
    return {"truncated": "length", "filtered": "content_filter"}.get(said.finish, "stop")


def _usage(asked: Asked, said: Said) -> dict[str, Any]:
    output = tokens(said.text) + said.thought
    return {
        "prompt_tokens": asked.tokens,
        "completion_tokens": output,
        "total_tokens": asked.tokens + output,
        "prompt_tokens_details": {"cached_tokens": said.read_from_cache, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": said.thought, "audio_tokens": 0},
    }


def _streamed(asked: Asked, said: Said) -> Iterator[bytes]:
    envelope = _envelope(asked, "chat.completion.chunk")

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return _event(envelope | {"choices": choices})

    start: dict[str, Any] = {"role": "assistant", "content": None if asked.tool else ""}
    call = {"index": 0, "id": "call_strict", "type": "function"}
    if asked.tool:
        start["tool_calls"] = [call | {"function": {"name": asked.tool, "arguments": ""}}]
    yield event(start)
    for start_at in range(0, len(said.text), STREAMED_CHARS):
        piece = said.text[start_at : start_at + STREAMED_CHARS]
        function = {"index": 0, "function": {"arguments": piece}}
        yield event({"tool_calls": [function]} if asked.tool else {"content": piece})
    if said.finish == "refused":
        yield event({"refusal": REFUSAL})
    yield event({}, _finish(said))
    yield _event(envelope | {"choices": [], "usage": _usage(asked, said)})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def error(status: int, message: str, param: str = "", code: str = "") -> bytes:
    """The body of an error, in the vendor's shape."""
    kinds = {401: "invalid_request_error", 429: "rate_limit_error"}
    kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    said = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return json.dumps({"error": said}).encode()
