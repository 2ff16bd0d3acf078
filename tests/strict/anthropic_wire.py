"""Messages as Anthropic takes and gives them: structured output, forced strict tool, plain."""

import json
import re
from collections.abc import Iterator
from typing import Any

from anthropic.types import TextBlockParam, ToolParam
from anthropic.types.message_create_params import MessageCreateParamsBase

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
from strict.rules import ANTHROPIC

PATH = "/v1/messages"
KNOWN = frozenset(MessageCreateParamsBase.__annotations__) | {"stream"}
TEXT_BLOCK = frozenset(TextBlockParam.__annotations__)
TOOL = frozenset(ToolParam.__annotations__)
IMAGES = re.compile("base64:image/(png|jpeg|gif|webp);")
DOCUMENTS = re.compile("base64:application/pdf;")
ROLES = frozenset({"user", "assistant", "system"})  # the last since the SDK's SystemMessageParam
CACHE_MARKS_MAX = 4
STRICT_TOOLS_MAX = 20
STREAMED_CHARS = 7


def read(request: Request) -> Asked:
    """What the request asks for. Raises `Refused`."""
    if not request.headers.keys() & {
        "x-api-key",
        "authorization",
    }:  # SDKs since 2.11 send the latter
        raise Refused("x-api-key header is required", status=401)
    if not request.headers.get("anthropic-version"):
        raise Refused("anthropic-version: header is required")
    body = body_of(request)
    only(body, KNOWN)
    most = needed(body, "max_tokens", int)
    if most < 1:
        raise Refused("max_tokens: must be greater than or equal to 1", param="max_tokens")
    texts = (*_system(body.get("system")), *_texts(needed(body, "messages", list)))
    if (marks := request.body.count(b'"cache_control"')) > CACHE_MARKS_MAX:
        raise Refused(
            f"A maximum of {CACHE_MARKS_MAX} blocks with cache_control may be provided."
            f" Found {marks}."
        )
    schema, tool = _structured(body.get("output_config")), None
    if "tools" in body:
        schema, tool = _tool(body, schema)
    return Asked(needed(body, "model", str), texts, schema, tool, bool(body.get("stream")), most)


def _system(system: Any) -> Iterator[str]:
    if system is not None:
        yield from _content(system, "system")


def _texts(messages: list[Any]) -> Iterator[str]:
    if not messages:
        raise Refused("messages: at least one message is required", param="messages")
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        where = f"messages.{number}."
        only(message, {"role", "content"}, where)
        role = needed(message, "role", str, where)
        if role not in ROLES:
            raise Refused(f'messages: Unexpected role "{role}".', param=where + "role")
        if number == 0 and role != "user":
            raise Refused('messages: first message must use the "user" role')
        answered = _ids(message, "tool_result", "tool_use_id")
        if answered != open_calls:
            raise Refused(f"{where}: tool_use and tool_result differ: {answered ^ open_calls}")
        open_calls = _ids(message, "tool_use", "id")
        yield from _content(message.get("content"), where + "content")
    if messages[-1]["role"] == "assistant":
        raise Refused("This model does not support assistant message prefill.")


def _ids(message: dict[str, Any], kind: str, name: str) -> set[str]:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return {block[name] for block in blocks if block.get("type") == kind}


def _content(content: Any, where: str) -> Iterator[str]:
    if not isinstance(content, list):
        yield text_of(content, where)
        return
    if not content:
        raise Refused(f"{where}: must have non-empty content", param=where)
    for number, block in enumerate(content):
        at = f"{where}.{number}."
        match block:
            case {"type": "text", "text": text}:
                only(block, TEXT_BLOCK, at)
                _cache_mark(block.get("cache_control"), at)
                yield text_of(text, at + "text")
            case {"type": "image" | "document" as kind, "source": dict(source)}:
                only(block, {"type", "source", "cache_control", "title"}, at)
                _cache_mark(block.get("cache_control"), at)
                only(source, {"type", "media_type", "data"}, f"{at}source.")
                url = "{type}:{media_type};{data}".format(**source)
                yield file_of(url, IMAGES if kind == "image" else DOCUMENTS, at)
            case {"type": "tool_use" | "tool_result"}:
                _cache_mark(block.get("cache_control"), at)
                yield json.dumps(block.get("input", block.get("content")), ensure_ascii=False)
            case _:
                raise Refused(f"{at}type: Input should be 'text', 'tool_use', 'tool_result'")


def _cache_mark(mark: Any, where: str) -> None:
    match mark:
        case None | {"type": "ephemeral"}:
            only(mark or {}, {"type", "ttl"}, f"{where}cache_control.")
        case _:
            raise Refused(f"{where}cache_control: Input should be 'ephemeral'")


def _structured(config: Any) -> str | None:
    match config:
        case None:
            return None
        case {"format": {"type": "json_schema", "schema": schema, **rest}}:
            only(rest, (), "output_config.format.")
            return checked(schema, ANTHROPIC, "output_config.format.schema")
        case _:
            only(config, {"effort"}, "output_config.")
            return None


def _tool(body: dict[str, Any], schema: str | None) -> tuple[str, str]:
    """The schema and the name of the tool that must be called."""
    if schema is not None:
        raise Refused("tools and output_config.format: which of them is meant?")
    tools = body["tools"]
    if (strict := sum(tool.get("strict") is True for tool in tools)) > STRICT_TOOLS_MAX:
        raise Refused(f"tools: too many strict tools ({strict}, limit: {STRICT_TOOLS_MAX})")
    schemas: dict[str, str] = {}
    for number, tool in enumerate(tools):
        where = f"tools.{number}.custom."
        only(tool, TOOL, where)
        _cache_mark(tool.get("cache_control"), where)
        rules = ANTHROPIC if tool.get("strict") else None
        name = named(tool.get("name"), where + "name")
        schemas[name] = checked(tool.get("input_schema"), rules, where + "input_schema")
    match body.get("tool_choice"):
        case {"type": "tool", "name": name} if name in schemas:
            return schemas[name], name
        case {"type": "any"} if len(schemas) == 1:
            return next(iter(schemas.values())), next(iter(schemas))
        case _:
            raise Refused("tool_choice: names none of the tools", param="tool_choice")


def reply(asked: Asked, said: Said) -> Reply:
    if asked.stream:
        return Reply(
            chunks=[*_streamed(asked, said)], headers={"Content-Type": "text/event-stream"}
        )
    block: dict[str, Any] = {"type": "text", "text": said.text}
    if asked.tool:
        whole = said.finish == "end"
        block = _tool_use(asked) | {"input": "@input" if whole else {}}
    body = _message(asked, said) | {
        "content": [block] if said.text else [],
        "stop_reason": _stop(asked, said),
        "usage": _usage(asked, said),
    }
    # The input is put in as it was said, not as this program would write it.
    text = json.dumps(body).replace('"@input"', said.text)
    return Reply(chunks=[text.encode()], headers={"request-id": "req_strict"})


def _tool_use(asked: Asked) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_strict", "name": asked.tool, "input": {}}


def _message(asked: Asked, said: Said) -> dict[str, Any]:
    return {
        "id": "msg_strict",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(asked, said) | {"output_tokens": 1},
    }


def _stop(asked: Asked, said: Said) -> str:
    ends = "tool_use" if asked.tool else "end_turn"
    return {"truncated": "max_tokens", "end": ends}.get(said.finish, "refusal")


def _usage(asked: Asked, said: Said) -> dict[str, int]:
    cached = said.read_from_cache + said.written_to_cache
    return {
        "input_tokens": asked.tokens - cached,
        "cache_read_input_tokens": said.read_from_cache,
        "cache_creation_input_tokens": said.written_to_cache,
        "output_tokens": tokens(said.text) + said.thought,
    }


def _streamed(asked: Asked, said: Said) -> Iterator[bytes]:
    yield _event("message_start", message=_message(asked, said))
    block = _tool_use(asked) if asked.tool else {"type": "text", "text": ""}
    yield _event("content_block_start", index=0, content_block=block)
    yield _event("ping")
    for start in range(0, len(said.text), STREAMED_CHARS):
        piece = said.text[start : start + STREAMED_CHARS]
        delta = {"type": "text_delta", "text": piece}
        if asked.tool:
            delta = {"type": "input_json_delta", "partial_json": piece}
        yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)
    delta = {"stop_reason": _stop(asked, said), "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage=_usage(asked, said))
    yield _event("message_stop")


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def error(status: int, message: str, param: str = "", code: str = "") -> bytes:
    """The body of an error, in the vendor's shape."""
    kinds = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    said = {"type": kinds.get(status, "api_error"), "message": message}
    return json.dumps({"type": "error", "error": said, "request_id": "req_strict"}).encode()
