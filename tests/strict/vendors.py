"""Our models of each vendor and mode before the strict server, and the body that each must send."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from strict.server import StrictServer
from twelvefold.messages import Message, ModelRequest, Prompt, message, messages_of
from twelvefold.models.anthropic import OUTPUT_TOKENS_MAX, AnthropicModel
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.openai import OpenAIModel
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile, export
from twelvefold.thread import to_text

KEY = "test-key"
MODEL = "strict-1"
GO: tuple[Message, ...] = (message("system", "Choose the next step."), message("user", "Go on."))

Body = dict[str, Any]
Write = Callable[[tuple[Message, ...], Body | None, str], Body]


def compact(body: Body) -> bytes:
    return to_text(body).encode()


def with_blanks(body: Body) -> bytes:
    return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Vendor:
    """`profiles`: by mode, which schema is sent. `body`: messages, schema and mode to the body, as
    the vendor's documentation has it and not a word more. `bytes`: how its SDK writes that."""

    make: Callable[..., Any]
    profiles: dict[str, Profile]
    body: Write
    bytes: Callable[[Body], bytes] = compact


@dataclass(frozen=True, slots=True)
class Way:
    """A vendor in a mode."""

    vendor: Vendor
    mode: str

    def model(self, server: StrictServer, **options: Any) -> Any:
        return self.vendor.make(server, mode=self.mode, **options)

    def schema(self, neutral: str | None) -> Body | None:
        profile = self.vendor.profiles.get(self.mode)
        return None if neutral is None or profile is None else export(neutral, profile).schema

    def body(self, request: ModelRequest) -> Body:
        return self.vendor.body(request.messages, self.schema(request.schema), self.mode)


def openai(server: StrictServer, **options: Any) -> OpenAIModel:
    return OpenAIModel(MODEL, base_url=server.openai_url, api_key=KEY, **options)


def openai_body(messages: tuple[Message, ...], schema: Body | None, mode: str) -> Body:
    body: Body = {"model": MODEL, "messages": [of(one) for one in messages]}
    if schema is None:
        return body
    if mode == "native":
        form = {"name": "next_step", "strict": True, "schema": schema}
        return body | {"response_format": {"type": "json_schema", "json_schema": form}}
    return body | {
        "tools": [{"type": "function", "function": {"name": "next_step", "parameters": schema}}],
        "tool_choice": {"type": "function", "function": {"name": "next_step"}},
        "parallel_tool_calls": False,
    }


def of(one: Message) -> Body:
    return {"role": one.role, "content": shown("".join(part.text for part in one.parts))}


def anthropic(server: StrictServer, **options: Any) -> AnthropicModel:
    return AnthropicModel(MODEL, base_url=server.url, api_key=KEY, **options)


def anthropic_body(messages: tuple[Message, ...], schema: Body | None, mode: str) -> Body:
    first = next((n for n, one in enumerate(messages) if one.role != "system"), len(messages))
    body: Body = {"model": MODEL, "max_tokens": OUTPUT_TOKENS_MAX}
    system = [block for one in messages[:first] for block in blocks(one)]
    body |= {"system": system} if system else {}
    body["messages"] = [{"role": one.role, "content": blocks(one)} for one in messages[first:]]
    if schema is None:
        return body
    if mode == "native":
        return body | {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    choice = {"type": "tool", "name": "next_step", "disable_parallel_tool_use": True}
    return body | {
        "tools": [{"name": "next_step", "input_schema": schema}],
        "tool_choice": choice,
    }


def blocks(one: Message) -> list[Body]:
    """Threads here have no more cache marks than a request may have, and no blank parts."""
    assert all(part.text.strip() for part in one.parts)
    mark: Body = {"cache_control": {"type": "ephemeral"}}
    return [
        {"type": "text", "text": shown(part.text), **(mark if part.cache else {})}
        for part in one.parts
    ]


def gemini(server: StrictServer, **options: Any) -> GeminiModel:
    return GeminiModel(MODEL, base_url=server.url, api_key=KEY, **options)


def gemini_body(messages: tuple[Message, ...], schema: Body | None, mode: str) -> Body:
    roles = {"user": "user", "assistant": "model"}
    turns = [one for one in messages if one.role != "system"]
    system = [part for one in messages if one.role == "system" for part in texts(one)]
    body: Body = {"contents": [{"role": roles[one.role], "parts": texts(one)} for one in turns]}
    body |= {"systemInstruction": {"parts": system}} if system else {}
    config: Body = {}
    if schema is not None and mode == "native":
        config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    body |= {"generationConfig": config}
    if schema is None or mode == "native":
        return body
    function = {"name": "next_step", "parametersJsonSchema": schema}
    choice = {"mode": "ANY", "allowedFunctionNames": ["next_step"]}
    return body | {
        "tools": [{"functionDeclarations": [function]}],
        "toolConfig": {"functionCallingConfig": choice},
    }


def texts(one: Message) -> list[Body]:
    assert all(part.text.strip() for part in one.parts)
    return [{"text": shown(part.text)} for part in one.parts]


def shown(text: str) -> str:
    """UTF-8 has no lone surrogates; U+FFFD stands for each, and nothing else is changed."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


VENDORS: dict[str, Vendor] = {
    "openai": Vendor(openai, {"native": OPENAI, "tool": PLAIN}, openai_body),
    "anthropic": Vendor(anthropic, {"native": ANTHROPIC, "tool": PLAIN}, anthropic_body),
    "gemini": Vendor(gemini, {"native": GEMINI, "tool": GEMINI}, gemini_body, with_blanks),
}
MODES = ("native", "tool", "prompt")
WAYS: dict[str, Way] = {
    f"{name}-{mode}": Way(vendor, mode) for name, vendor in VENDORS.items() for mode in MODES
}


def name_of(way: Way) -> str:
    """The name of the vendor."""
    [name] = [name for name, known in VENDORS.items() if known is way.vendor]
    return name


def asking(schema: str | None, prompt: Prompt = GO) -> ModelRequest:
    return ModelRequest(messages_of(prompt), schema)


def obeyed(neutral: str) -> str:
    """What a model writes that reads the form of an answer in its prompt: no wrapper, no null for
    what may be left out, but always the tag."""
    schema = export(neutral, PLAIN).schema
    inner = schema["properties"].get("next_step")
    wrapped = list(schema["properties"]) == ["next_step"] and inner is not None
    body: Body = {**inner, "$defs": schema.get("$defs", {})} if wrapped else schema
    return to_text(body)
