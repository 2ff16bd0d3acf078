"""OpenAI's Chat Completions, and every server that speaks them: Ollama, vLLM, OpenRouter, Groq.

What is sent is `body(request)`, these bytes and no others. The SDK brings the connection, the key
and the errors; it neither changes the schema nor tries again.
"""

import os
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from twelvefold.exceptions import ModelFailed
from twelvefold.failures import clip
from twelvefold.messages import FilePart, Finish, Message, ModelReply, ModelRequest, Part, Usage
from twelvefold.schemas import OPENAI, PLAIN
from twelvefold.thread import Json, to_text
from twelvefold.vendors import (
    NEXT_STEP,
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
    needed_key,
    numbers,
    offered,
    sendable,
    spoken,
    text_at,
    tries_within,
    unreachable,
    usable_url,
    wire,
    with_options,
)

KEY = "OPENAI_API_KEY"
PATH = "/chat/completions"

_FINISHES: Mapping[str, Finish] = {
    "stop": "end",
    "tool_calls": "end",
    "function_call": "end",
    "length": "truncated",
    "content_filter": "refused",
}


class OpenAIModel:
    """A model by its name, as `OpenAIModel("gpt-5")`; the key is that of `OPENAI_API_KEY`.

    - `mode`: "native" structured output, a forced "tool", or nothing but your "prompt".
    - `base_url`: another server with the same API; `OPENAI_BASE_URL` does the same.
    - `timeout_s`: for all tries together; `try_timeout_s` for each of at most `tries_max`.
    - `on_partial`: called with the text so far and the request, for display; it turns on streaming.
    - `options`: more fields of the body, over ours; None takes one away.
    - `client`: your own `AsyncOpenAI`.
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
        self._on_partial, self._client = on_partial, client
        self._tried = tries_within(
            timeout_s=timeout_s, try_timeout_s=try_timeout_s, tries_max=tries_max
        )
        self._base_url, self._api_key = base_url, api_key

    def body(self, request: ModelRequest) -> dict[str, Json]:
        """The JSON that is sent for this request. Raises `SchemaRefused`."""
        made: dict[str, Json] = {
            "model": self.model,
            "messages": [_message(one, request) for one in request.messages],
        }
        schema = offered(request, self.mode, native=OPENAI, tool=PLAIN)
        if schema is not None:
            made |= _native(schema) if self.mode == "native" else _tool(schema)
        if self._on_partial is not None:
            made |= {"stream": True, "stream_options": {"include_usage": True}}
        return with_options(made, self.options)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises `ModelFailed`, `UnusableModel` and `SchemaRefused`."""
        body = self.body(request)
        sdk, client = await self.ready()
        return await self._tried(partial(self._try, sdk, client, body, request))

    async def ready(self) -> tuple[Any, Any]:
        """The SDK, and a client with a key. Sends nothing. Raises `UnusableModel`."""
        sdk = load("openai", extra="openai")
        return sdk, self._client or await self._open(sdk)

    async def _open(self, sdk: Any) -> Any:
        url = usable_url(self._base_url or os.environ.get("OPENAI_BASE_URL"))
        key = needed_key(self._api_key or os.environ.get(KEY), KEY, model=self.model, url=url)
        make = partial(sdk.AsyncOpenAI, api_key=key, base_url=url, max_retries=0)
        return await client_for(("openai", url, key), make)

    async def _try(
        self, sdk: Any, client: Any, body: dict[str, Json], request: ModelRequest, left_s: float
    ) -> ModelReply:
        options = {"timeout": left_s, "max_retries": 0}
        post = partial(client.post, PATH, content=wire(body), cast_to=object, options=options)
        try:
            if not body.get("stream"):
                return reply_of(self._sound(await post(), client, body))
            chunks = await post(stream=True, stream_cls=sdk.AsyncStream[object])
            made, shown = _Completion(), Partial(self._on_partial, request)
            await gathered(chunks, made.take, shown)
            return reply_of(self._sound(made.data(), client, body))
        except sdk.APIStatusError as error:
            said = member(error.body) or {"message": error.response.text}
            headers = error.response.headers
            raise self._failure(error.status_code, said, client, body, headers) from error
        except sdk.APIError as error:  # also one within a stream
            if (lost := unreachable(error, "OpenAI")) is not None:
                raise lost from error
            self._sound({"error": error.body}, client, body)
            raise ModelFailed("unavailable", clip(f"OpenAI: {error}"), passes=True) from error

    def _sound(self, data: Json, client: Any, body: dict[str, Json]) -> Json:
        """The data, unless it is an error that names its status: routers send such with a 200."""
        said = member(data, "error")
        code = str(said.get("code"))
        if not members(data, "choices") and re.fullmatch("[45][0-9][0-9]", code):
            raise self._failure(int(code), said, client, body, {})
        return data

    def _failure(
        self,
        status: int,
        said: Json,
        client: Any,
        body: dict[str, Json],
        headers: Mapping[str, str],
    ) -> Exception:
        error = member(said)
        answered = Answered(
            vendor=f"{client.base_url.host}",
            model=self.model,
            status=status,
            said=text_at(error, "message"),
            code=f"{error.get('code') or ''} {error.get('param') or ''}",
            headers=headers,
            key_name=KEY,
            secret=client.api_key,
            schema_sent=bool({"response_format", "tools"} & body.keys()),
        )
        return failure_of(answered)


def _message(one: Message, request: ModelRequest) -> dict[str, Json]:
    """Text is one string, which every server takes; a list of parts only where there are files."""
    if not any(isinstance(part, FilePart) for part in one.parts):
        return {"role": one.role, "content": sendable(one.text)}
    return {"role": one.role, "content": [_part(part, request) for part in spoken(one.parts)]}


def _part(part: Part, request: ModelRequest) -> dict[str, Json]:
    if not isinstance(part, FilePart):
        return {"type": "text", "text": sendable(part.text)}
    url = f"data:{part.media_type};base64,{encoded(part, request)}"
    if part.media_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": part.name, "file_data": url}}


def _native(schema: Json) -> dict[str, Json]:
    form = {"name": NEXT_STEP, "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _tool(schema: Json) -> dict[str, Json]:
    function = {"name": NEXT_STEP, "parameters": schema}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": NEXT_STEP}},
        "parallel_tool_calls": False,
    }


def reply_of(data: Json) -> ModelReply:
    """The reply that a chat completion holds. Raises `ModelFailed` when it is none."""
    choices = members(data, "choices")
    if not choices:
        said = text_at(member(data, "error"), "message") or "no chat completion"
        raise ModelFailed("unreadable", f"The server answered with an error: {said}", passes=True)
    message, why = member(choices[0], "message"), text_at(choices[0], "finish_reason")
    about: dict[str, Any] = {
        "usage": usage_of(member(data, "usage")),
        "model": text_at(data, "model"),
    }
    if refusal := text_at(message, "refusal"):
        return ModelReply(refusal, "refused", **about)
    calls = [member(call, "function") for call in members(message, "tool_calls")]
    text = "\n".join(map(_called, calls)) if calls else _content(message)
    return ModelReply(text, _FINISHES.get(why, "other"), **about)


def _content(message: dict[str, Json]) -> str:
    """Some servers send a list of parts, thoughts among them."""
    texts = [part for part in members(message, "content") if text_at(part, "type") == "text"]
    return text_at(message, "content") or "".join(text_at(part, "text") for part in texts)


def _called(function: dict[str, Json]) -> str:
    """The arguments as the model wrote them. Under a name that is not ours, the name counts."""
    name, arguments = text_at(function, "name"), text_at(function, "arguments")
    ours = name in {NEXT_STEP, ""}
    return arguments if ours else to_text({"name": name, "arguments": arguments})


def usage_of(usage: dict[str, Json]) -> Usage:
    """`prompt_tokens` holds what was cached, `completion_tokens` the reasoning. OpenRouter adds a
    cost."""
    read, wrote = numbers(usage, "prompt_tokens", "completion_tokens")
    cached, kept = numbers(
        member(usage, "prompt_tokens_details"), "cached_tokens", "cache_write_tokens"
    )
    [reasoning] = numbers(member(usage, "completion_tokens_details"), "reasoning_tokens")
    cost = usage.get("cost")
    paid = float(cost) if isinstance(cost, int | float) else 0.0
    return Usage(read, wrote, cached, kept, reasoning, paid)


class _Completion:
    """A chat completion as its chunks add up to it."""

    def __init__(self) -> None:
        self._about: dict[str, Json] = {}
        self._message = {"content": "", "refusal": ""}
        self._calls: dict[int, dict[str, str]] = {}
        self._finish = ""

    def take(self, chunk: Json) -> str:
        """What the chunk adds to the text."""
        for name in ("model", "usage", "error"):
            if found := member(chunk).get(name):
                self._about[name] = found
        added = ""
        for choice in members(chunk, "choices"):
            delta = member(choice, "delta")
            self._finish = text_at(choice, "finish_reason") or self._finish
            for name in self._message:
                self._message[name] += text_at(delta, name)
            added += text_at(delta, "content") + self._add_calls(delta)
        return added

    def _add_calls(self, delta: dict[str, Json]) -> str:
        added = ""
        for part in members(delta, "tool_calls"):
            function = member(part, "function")
            call = self._calls.setdefault(part.get("index", 0), {"name": "", "arguments": ""})
            call["name"] += text_at(function, "name")
            call["arguments"] += text_at(function, "arguments")
            added += text_at(function, "arguments")
        return added

    def data(self) -> dict[str, Json]:
        """Without a finish reason, the completion was cut off."""
        message: dict[str, Json] = dict(self._message)
        if self._calls:
            message["tool_calls"] = [{"function": call} for call in self._calls.values()]
        choice = {"message": message, "finish_reason": self._finish or "length"}
        return {**self._about, "choices": [] if "error" in self._about else [choice]}
