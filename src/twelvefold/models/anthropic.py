"""Anthropic's Messages API.

What is sent is `body(request)`, these bytes and no others. The SDK brings the connection, the key
and the errors; it neither changes the schema nor tries again. System messages at the beginning
become `system`, later ones stay where they are; the last `CACHE_MARKS_MAX` cache marks become
`cache_control`. No part is sent that is blank.
"""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from twelvefold.exceptions import ModelFailed, UnusableModel
from twelvefold.messages import FilePart, Finish, ModelReply, ModelRequest, Part, Usage
from twelvefold.schemas import ANTHROPIC, PLAIN
from twelvefold.thread import Json, to_text
from twelvefold.vendors import (
    NEXT_STEP,
    NO_KEY,
    TIMEOUT_S,
    TRIES_MAX,
    Answered,
    Mode,
    OnPartial,
    Partial,
    checked_mode,
    checked_options,
    client_for,
    encoded,
    failure_of,
    gathered,
    load,
    member,
    members,
    no_key,
    numbers,
    offered,
    sendable,
    spoken,
    text_at,
    tries_within,
    unreachable,
    usable_key,
    usable_url,
    wire,
    with_options,
)

KEY, TOKEN = "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"
PATH = "/v1/messages"
OUTPUT_TOKENS_MAX = 8192
"""The `max_tokens` that the API demands, unless `options` has another."""
CACHE_MARKS_MAX = 4
"""The API refuses more; the last ones reach furthest."""

_FINISHES: Mapping[str, Finish] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "end",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
}
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""An error within a stream comes after a status of 200."""


class AnthropicModel:
    """A model by its name, as `AnthropicModel("claude-opus-4-5")`; the key is that of
    `ANTHROPIC_API_KEY`.

    - `mode`: "native" structured output, a forced "tool", or nothing but your "prompt".
    - `base_url`: another server with the same API; `ANTHROPIC_BASE_URL` does the same.
    - `timeout_s`: for all tries together; `try_timeout_s` for each of at most `tries_max`.
    - `on_partial`: called with the text so far and the request, for display; it turns on streaming.
    - `options`: more fields of the body, over ours; None takes one away.
    - `client`: your own `AsyncAnthropic`.
    """

    def __init__(
        self,
        model: str,
        *,
        mode: Mode = "native",
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        try_timeout_s: float | None = None,
        tries_max: int = TRIES_MAX,
        on_partial: OnPartial | None = None,
        options: Mapping[str, Json] | None = None,
        client: Any = None,
    ) -> None:
        self.model, self.options = model, checked_options(options)
        self.mode: Mode = checked_mode(mode)
        self._base_url, self._api_key = base_url, api_key
        self._on_partial, self._client = on_partial, client
        self._tried = tries_within(
            timeout_s=timeout_s, try_timeout_s=try_timeout_s, tries_max=tries_max
        )

    def body(self, request: ModelRequest) -> dict[str, Json]:
        """The JSON that is sent for this request. Raises `SchemaRefused`."""
        made: dict[str, Json] = {"model": self.model, "max_tokens": OUTPUT_TOKENS_MAX}
        made |= _conversation(request)
        schema = offered(request, self.mode, native=ANTHROPIC, tool=PLAIN)
        if schema is not None:
            made |= _native(schema) if self.mode == "native" else _tool(schema)
        if self._on_partial is not None:
            made["stream"] = True
        return with_options(made, self.options)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises `ModelFailed`, `UnusableModel` and `SchemaRefused`."""
        body = self.body(request)
        sdk, client = await self.ready()
        return await self._tried(partial(self._try, sdk, client, body, request))

    async def ready(self) -> tuple[Any, Any]:
        """The SDK, and a client with a key. Sends nothing. Raises `UnusableModel`."""
        sdk = load("anthropic", extra="anthropic")
        return sdk, self._client or await self._open(sdk)

    async def _open(self, sdk: Any) -> Any:
        """The SDK looks for a key in more places than one; a server of your own may need none."""
        url = usable_url(self._base_url or os.environ.get("ANTHROPIC_BASE_URL"))
        token = usable_key(os.environ.get(TOKEN), TOKEN)
        key = usable_key(self._api_key or os.environ.get(KEY), KEY)
        key = key or (NO_KEY if url and not token else None)
        make = partial(sdk.AsyncAnthropic, api_key=key, base_url=url, max_retries=0)
        try:
            client = await client_for(("anthropic", url, key, token), make)
        except sdk.AnthropicError as error:  # a login of yours that the SDK cannot read
            raise UnusableModel(f"Anthropic: {error}") from error
        sent = {name.lower() for name in (*client.auth_headers, *client.default_headers)}
        if not (client.credentials or sent & {"x-api-key", "authorization"}):
            raise no_key(self.model, KEY)
        return client

    async def _try(
        self, sdk: Any, client: Any, body: dict[str, Json], request: ModelRequest, left_s: float
    ) -> ModelReply:
        options = {"timeout": left_s, "max_retries": 0}
        post = partial(client.post, PATH, content=wire(body), cast_to=object, options=options)
        try:
            if not body.get("stream"):
                return reply_of(await post())
            events = await post(stream=True, stream_cls=sdk.AsyncStream[object])
            made, shown = _Streamed(), Partial(self._on_partial, request)
            await gathered(events, made.take, shown)
            return reply_of(made.data())
        except sdk.APIStatusError as error:
            raise failure_of(self._answered(error, client, body)) from error
        except Exception as error:
            known = unreachable(error, "Anthropic") or self._unusable(sdk, error)
            if known is None:
                raise
            raise known from error

    def _unusable(self, sdk: Any, error: Exception) -> UnusableModel | None:
        """The SDK tells of a missing key by a `TypeError`, of a wrong one by errors of its own."""
        if isinstance(error, TypeError) and "authentication" in str(error):
            return no_key(self.model, KEY)
        theirs = isinstance(error, sdk.AnthropicError)
        return UnusableModel(f"Anthropic: {error}") if theirs else None

    def _answered(self, error: Any, client: Any, body: dict[str, Json]) -> Answered:
        said = member(error.body, "error")
        kind = text_at(said, "type")
        within = error.status_code < 400
        return Answered(
            vendor=f"{client.base_url.host}",
            model=self.model,
            status=_STATUSES.get(kind, 500) if within else error.status_code,
            said=text_at(said, "message") or error.response.text,
            code=kind,
            headers=error.response.headers,
            key_name=KEY,
            secret=client.api_key,
            schema_sent=bool({"output_config", "tools"} & body.keys()),
        )


def _conversation(request: ModelRequest) -> dict[str, Json]:
    messages = request.messages
    first = next((n for n, one in enumerate(messages) if one.role != "system"), len(messages))
    said = [spoken(one.parts) for one in messages]
    marked = [(n, m) for n, parts in enumerate(said) for m, p in enumerate(parts) if p.cache]
    kept = set(marked[-CACHE_MARKS_MAX:])
    blocks = [
        [_block(part, request, cache=(n, m) in kept) for m, part in enumerate(parts)]
        for n, parts in enumerate(said)
    ]
    system = [block for each in blocks[:first] for block in each]
    pairs = zip(messages[first:], blocks[first:], strict=True)
    turns = [{"role": one.role, "content": each} for one, each in pairs]
    return {"system": system, "messages": turns} if system else {"messages": turns}


def _block(part: Part, request: ModelRequest, *, cache: bool) -> dict[str, Json]:
    block: dict[str, Json] = {"type": "text", "text": sendable(part.text)}
    if isinstance(part, FilePart):
        kind = "image" if part.media_type.startswith("image/") else "document"
        source = {"type": "base64", "media_type": part.media_type, "data": encoded(part, request)}
        block = {"type": kind, "source": source}
    return block | {"cache_control": {"type": "ephemeral"}} if cache else block


def _native(schema: Json) -> dict[str, Json]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def _tool(schema: Json) -> dict[str, Json]:
    choice = {"type": "tool", "name": NEXT_STEP, "disable_parallel_tool_use": True}
    return {"tools": [{"name": NEXT_STEP, "input_schema": schema}], "tool_choice": choice}


def reply_of(data: Json) -> ModelReply:
    """The reply that a message holds. Raises `ModelFailed` when it is none."""
    if text_at(data, "type") != "message":
        raise ModelFailed("unreadable", "The server answered with no message.", passes=True)
    blocks = members(data, "content")
    calls = [block for block in blocks if text_at(block, "type") == "tool_use"]
    texts = [text_at(block, "text") for block in blocks if text_at(block, "type") == "text"]
    return ModelReply(
        "\n".join(map(_called, calls)) if calls else "".join(texts),
        _FINISHES.get(text_at(data, "stop_reason"), "other"),
        usage_of(member(data, "usage")),
        text_at(data, "model"),
    )


def _called(call: dict[str, Json]) -> str:
    """The input as JSON; of a stream as the model wrote it. Under another name, the name counts."""
    given = text_at(call, "written") or to_text(call.get("input"))
    name = text_at(call, "name")
    return given if name == NEXT_STEP else to_text({"name": name, "arguments": given})


def usage_of(usage: dict[str, Json]) -> Usage:
    """`input_tokens` leaves out what the cache gave and took: all three are what the model read."""
    cached = ("cache_read_input_tokens", "cache_creation_input_tokens")
    fresh, output, read, wrote = numbers(usage, "input_tokens", "output_tokens", *cached)
    [thinking] = numbers(member(usage, "output_tokens_details"), "thinking_tokens")
    return Usage(fresh + read + wrote, output, read, wrote, thinking)


class _Streamed:
    """A message as the events of its stream add up to it."""

    def __init__(self) -> None:
        self._message: dict[str, Json] = {}
        self._usage: dict[str, Json] = {}
        self._blocks: dict[int, dict[str, Json]] = {}
        self._stop_reason = ""

    def take(self, event: Json) -> str:
        """What the event adds to the text."""
        match text_at(event, "type"):
            case "message_start":
                self._message = dict(member(event, "message"))
                self._count(member(self._message, "usage"))
            case "message_delta":
                self._stop_reason = text_at(member(event, "delta"), "stop_reason")
                self._count(member(event, "usage"))
            case "content_block_start":
                self._blocks[event["index"]] = dict(member(event, "content_block"))
            case "content_block_delta":
                return self._add(self._blocks[event["index"]], member(event, "delta"))
            case _:
                pass
        return ""

    def _count(self, usage: dict[str, Json]) -> None:
        """Counts are of the whole message so far; those that are not said again still hold."""
        self._usage |= {name: count for name, count in usage.items() if count is not None}

    def _add(self, block: dict[str, Json], delta: dict[str, Json]) -> str:
        text, json = text_at(delta, "text"), text_at(delta, "partial_json")
        if text:
            block["text"] = text_at(block, "text") + text
        block["written"] = text_at(block, "written") + json
        return text + json

    def data(self) -> dict[str, Json]:
        """Without a stop reason, the message was cut off."""
        blocks, reason = list(self._blocks.values()), self._stop_reason or "max_tokens"
        return self._message | {"content": blocks, "usage": self._usage, "stop_reason": reason}
