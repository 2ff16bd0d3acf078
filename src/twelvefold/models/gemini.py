"""Google's Gemini API, by the google-genai SDK.

What is sent is `body(request)`, this JSON and no other. The SDK brings the connection, the key and
the errors; it neither changes the schema, nor calls functions, nor tries again. The API knows no
system message within a conversation: all of them become `systemInstruction`. It caches by itself:
cache marks are not sent.
"""

import os
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from twelvefold.encoding import from_text
from twelvefold.exceptions import ModelFailed
from twelvefold.messages import FilePart, Finish, Message, ModelReply, ModelRequest, Usage
from twelvefold.schemas import GEMINI
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
    with_options,
)

KEY, OTHER_KEY = "GEMINI_API_KEY", "GOOGLE_API_KEY"
_ROLES = {"user": "user", "assistant": "model"}
_FINISHES: Mapping[str, Finish] = {
    "STOP": "end",
    "MAX_TOKENS": "truncated",
    "CONTINUATION": "truncated",
    "SAFETY": "refused",
    "RECITATION": "refused",
    "LANGUAGE": "refused",
    "BLOCKLIST": "refused",
    "PROHIBITED_CONTENT": "refused",
    "SPII": "refused",
    "ESCALATION": "refused",
    "MODEL_ARMOR": "refused",
}


class GeminiModel:
    """A model by its name, as `GeminiModel("gemini-3.8-flash")`; the key is that of
    `GEMINI_API_KEY`, or of `GOOGLE_API_KEY`.

    - `mode`: "native" structured output, a forced "tool", or nothing but your "prompt".
    - `base_url`: another server with the same API; `GOOGLE_GEMINI_BASE_URL` does the same.
    - `timeout_s`: for all tries together; `try_timeout_s` for each of at most `tries_max`.
    - `on_partial`: called with the text so far and the request, for display; it turns on streaming.
    - `options`: more fields of the body, over ours; None takes one away.
    - `client`: your own `genai.Client`.
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
        made = _conversation(request)
        schema = offered(request, self.mode, native=GEMINI, tool=GEMINI)
        if schema is not None:
            made |= _native(schema) if self.mode == "native" else _tool(schema)
        return with_options(made, self.options)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises `ModelFailed`, `UnusableModel` and `SchemaRefused`."""
        body = self.body(request)
        _, client = await self.ready()
        return await self._tried(partial(self._try, client, body, request))

    async def ready(self) -> tuple[Any, Any]:
        """The SDK, and a client with a key. Sends nothing. Raises `UnusableModel`."""
        sdk = load("google.genai", extra="gemini")
        return sdk, self._client or await self._open(sdk)

    async def _open(self, sdk: Any) -> Any:
        url = usable_url(self._base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL"))
        key = needed_key(self._given_key(), KEY, model=self.model, url=url)
        where = {"base_url": url} if url else {}
        make = partial(sdk.Client, api_key=key, vertexai=False, http_options=where)
        return await client_for(("gemini", url, key), make, close=_close)

    def _given_key(self) -> str | None:
        return self._api_key or os.environ.get(OTHER_KEY) or os.environ.get(KEY)

    async def _try(
        self, client: Any, body: dict[str, Json], request: ModelRequest, left_s: float
    ) -> ModelReply:
        whole = self._on_partial is None
        config = _config(body, left_s, whole=whole)
        asked = {"model": self.model, "contents": body["contents"], "config": config}
        try:
            if whole:
                replied = await client.aio.models.generate_content(**asked)
                return reply_of(from_text(replied.sdk_http_response.body))
            chunks = await client.aio.models.generate_content_stream(**asked)
            made, shown = _Streamed(), Partial(self._on_partial, request)
            await gathered(_as_data(chunks), made.take, shown)
            return reply_of(made.data())
        except Exception as error:
            known = unreachable(error, "Gemini") or self._known(error, body)
            if known is None:
                raise
            raise known from error

    def _known(self, error: Any, body: dict[str, Json]) -> Exception | None:
        errors = load("google.genai.errors", extra="gemini")
        if isinstance(error, ValueError):  # JSON that is none
            return ModelFailed("unreadable", "Gemini answered with no JSON.", passes=True)
        return (
            failure_of(self._answered(error, body)) if isinstance(error, errors.APIError) else None
        )

    def _answered(self, error: Any, body: dict[str, Json]) -> Answered:
        return Answered(
            vendor="Gemini",
            model=self.model,
            status=error.code,
            said=error.message or str(error),
            code=error.status or "",
            headers=getattr(error.response, "headers", None) or {},
            retry_after_s=_retry_delay_s(error.details),
            key_name=KEY,
            secret=self._given_key(),
            schema_sent=bool(body.get("generationConfig") or body.get("tools")),
        )


async def _close(client: Any) -> None:
    await client.aio.aclose()
    client.close()


def _config(body: dict[str, Json], left_s: float, *, whole: bool) -> dict[str, Any]:
    """What makes the SDK send the body as it is, once, and do nothing else."""
    return {
        "http_options": {
            "extra_body": body,
            "timeout": max(int(left_s * 1000), 1),
            "retry_options": {"attempts": 1},
        },
        "should_return_http_response": whole,
        "automatic_function_calling": {"disable": True},
        "automatic_continuation": False,
    }


def _conversation(request: ModelRequest) -> dict[str, Json]:
    """In the order in which the SDK sends it; it sends `generationConfig` even when empty."""
    said = [(one.role, _parts(one, request)) for one in request.messages]
    turns = [{"role": _ROLES[role], "parts": parts} for role, parts in said if role != "system"]
    system = [part for role, parts in said if role == "system" for part in parts]
    made: dict[str, Json] = {"contents": turns, "generationConfig": {}}
    return made | {"systemInstruction": {"parts": system}} if system else made


def _parts(one: Message, request: ModelRequest) -> list[Json]:
    return [
        {"inlineData": {"mimeType": part.media_type, "data": encoded(part, request)}}
        if isinstance(part, FilePart)
        else {"text": sendable(part.text)}
        for part in spoken(one.parts)
    ]


def _native(schema: Json) -> dict[str, Json]:
    form = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    return {"generationConfig": form}


def _tool(schema: Json) -> dict[str, Json]:
    declared = {"name": NEXT_STEP, "parametersJsonSchema": schema}
    calling = {"mode": "ANY", "allowedFunctionNames": [NEXT_STEP]}
    return {
        "tools": [{"functionDeclarations": [declared]}],
        "toolConfig": {"functionCallingConfig": calling},
    }


def reply_of(data: Json) -> ModelReply:
    """The reply that a response holds. Raises `ModelFailed` when it is none."""
    usage, model = usage_of(member(data, "usageMetadata")), text_at(data, "modelVersion")
    feedback = member(data, "promptFeedback")
    if why := text_at(feedback, "blockReason"):
        said = text_at(feedback, "blockReasonMessage") or why
        return ModelReply(said, "refused", usage, model)
    candidates = members(data, "candidates")
    if not candidates:
        raise ModelFailed("unreadable", "Gemini answered with no candidate.", passes=True)
    why = text_at(candidates[0], "finishReason")
    finish = _FINISHES.get(why, "other")
    text = _text_of(members(member(candidates[0], "content"), "parts"))
    if finish == "refused":
        text = text or text_at(candidates[0], "finishMessage") or why
    return ModelReply(text, finish, usage, model)


def _text_of(parts: list[dict[str, Json]]) -> str:
    calls = [member(part, "functionCall") for part in parts if "functionCall" in part]
    if calls:
        return "\n".join(map(_called, calls))
    return "".join(text_at(part, "text") for part in parts if not part.get("thought"))


def _called(call: dict[str, Json]) -> str:
    """The arguments as JSON. Under a name that is not ours, the name counts."""
    name, args = text_at(call, "name"), member(call, "args")
    return to_text(args if name == NEXT_STEP else {"name": name, "arguments": args})


def usage_of(usage: dict[str, Json]) -> Usage:
    """`promptTokenCount` holds what was cached; the thoughts are not among the candidates'."""
    prompt, tools, cached = numbers(
        usage, "promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount"
    )
    written, thoughts = numbers(usage, "candidatesTokenCount", "thoughtsTokenCount")
    return Usage(prompt + tools, written + thoughts, cached, reasoning=thoughts)


def _retry_delay_s(data: Json) -> float | None:
    """The API says in the body when to come back: `{"retryDelay": "34s"}`."""
    for detail in members(member(data, "error"), "details"):
        delay = text_at(detail, "retryDelay").removesuffix("s")
        if delay.replace(".", "", 1).isdigit():
            return float(delay)
    return None


async def _as_data(chunks: Any) -> AsyncIterator[Json]:
    async for chunk in chunks:
        yield chunk.model_dump(mode="json", by_alias=True, exclude_none=True)


class _Streamed:
    """A response as its chunks add up to it."""

    def __init__(self) -> None:
        self._data: dict[str, Json] = {}
        self._candidate: dict[str, Json] = {}
        self._parts: list[dict[str, Json]] = []

    def take(self, chunk: Json) -> str:
        """What the chunk adds to the text."""
        names = ("usageMetadata", "modelVersion", "promptFeedback")
        self._data |= {name: chunk[name] for name in names if name in chunk}
        for candidate in members(chunk, "candidates"):
            parts = members(member(candidate, "content"), "parts")
            self._parts += parts
            self._candidate |= candidate
            return _text_of(parts)
        return ""

    def data(self) -> dict[str, Json]:
        """Without a finish reason, the response was cut off."""
        begun: dict[str, Json] = {"finishReason": "MAX_TOKENS", **self._candidate}
        candidates = [begun | {"content": {"parts": self._parts}}] if self._candidate else []
        return {**self._data, "candidates": candidates}
