"""The fixture itself: what it refuses, that what it says is valid, and how it fails on purpose."""

import json
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, APITimeoutError
from google.genai import Client
from google.genai.errors import ClientError
from google.genai.types import HttpOptions
from openai import (
    APIConnectionError,
    BadRequestError,
    LengthFinishReasonError,
    OpenAI,
)
from pydantic import BaseModel, ConfigDict, TypeAdapter

from strict.faults import a_page, cut_off, fails, no_json, refused, slow, truncated
from strict.server import StrictServer

COUNT = 60
ADD = {
    "type": "object",
    "properties": {
        "intent": {"type": "string", "enum": ["add"]},
        "a": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["intent", "a", "notes"],
    "additionalProperties": False,
}
DONE = {
    "type": "object",
    "properties": {
        "intent": {"type": "string", "enum": ["done_for_now"]},
        "message": {"type": "string"},
        "grade": {"anyOf": [{"type": "string", "enum": ["good", "bad"]}, {"type": "null"}]},
    },
    "required": ["intent", "message", "grade"],
    "additionalProperties": False,
}
WRAPPED: dict[str, Any] = {
    "type": "object",
    "properties": {"next_step": {"anyOf": [ADD, DONE]}},
    "required": ["next_step"],
    "additionalProperties": False,
}


class Add(BaseModel):
    model_config = ConfigDict(extra="forbid")
    intent: str
    a: int | float
    notes: list[str]


class Done(BaseModel):
    model_config = ConfigDict(extra="forbid")
    intent: str
    message: str
    grade: str | None


STEP: TypeAdapter[Add | Done] = TypeAdapter(Add | Done)


@pytest.fixture
def openai(strict_server: StrictServer):
    with OpenAI(base_url=strict_server.openai_url, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic(strict_server: StrictServer):
    with Anthropic(base_url=strict_server.url, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(strict_server: StrictServer):
    with Client(api_key="k", http_options=HttpOptions(base_url=strict_server.url)) as client:
        yield client


def by_openai(
    client: OpenAI, schema: Any, *, tool: bool = False, strict: bool = True, **options: Any
) -> str:
    if tool:
        function = {"name": "next_step", "strict": strict, "parameters": schema}
        options["tools"] = [{"type": "function", "function": function}]
        options["tool_choice"] = {"type": "function", "function": {"name": "next_step"}}
    else:
        structured = {"name": "next_step", "strict": True, "schema": schema}
        options["response_format"] = {"type": "json_schema", "json_schema": structured}
    options.setdefault("messages", [{"role": "user", "content": "go"}])
    said = client.chat.completions.create(model="m", **options).choices[0].message
    return said.tool_calls[0].function.arguments if tool else said.content  # type: ignore


def by_anthropic(
    client: Anthropic, schema: Any, *, tool: bool = False, strict: bool = True, **options: Any
) -> Any:
    if tool:
        options["tools"] = [{"name": "next_step", "strict": strict, "input_schema": schema}]
        options["tool_choice"] = {"type": "tool", "name": "next_step"}
    else:
        options["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    options.setdefault("messages", [{"role": "user", "content": "go"}])
    said = client.messages.create(model="m", max_tokens=4096, **options).content[0]
    return json.dumps(said.input) if tool else said.text  # type: ignore


def by_gemini(client: Client, schema: Any, *, tool: bool = False, strict: bool = True) -> str:
    config: dict[str, Any] = {
        "response_mime_type": "application/json",
        "response_json_schema": schema,
    }
    if tool:
        function = {"name": "next_step", "parameters_json_schema": schema}
        choice = {"mode": "ANY", "allowed_function_names": ["next_step"]}
        config = {
            "tools": [{"function_declarations": [function]}],
            "tool_config": {"function_calling_config": choice},
        }
    said = client.models.generate_content(model="m", contents="go", config=config)  # type: ignore
    return json.dumps(said.function_calls[0].args) if tool else said.text  # type: ignore


BY = {"openai": by_openai, "anthropic": by_anthropic, "gemini": by_gemini}


def ask(vendor: str, request: pytest.FixtureRequest, schema: Any, **options: Any) -> Any:
    return BY[vendor](request.getfixturevalue(vendor), schema, **options)


each_vendor = pytest.mark.parametrize("vendor", BY)
each_mode = pytest.mark.parametrize("tool", [False, True], ids=["native", "tool"])


@each_vendor
@each_mode
def test_what_it_says_is_valid_and_of_every_kind(
    vendor: str, tool: bool, request: pytest.FixtureRequest, strict_server: StrictServer
):
    texts = [ask(vendor, request, WRAPPED, tool=tool) for _ in range(COUNT)]
    steps = [STEP.validate_python(json.loads(text)["next_step"]) for text in texts]

    assert {type(step) for step in steps} == {Add, Done}
    assert {type(step.a) for step in steps if isinstance(step, Add)} == {int, float}
    assert {step.grade for step in steps if isinstance(step, Done)} == {"good", "bad", None}
    assert [json.loads(text) for text in texts] == [json.loads(s) for s in strict_server.said]
    assert any("\\u" in said for said in strict_server.said)
    assert any(not said.isascii() for said in strict_server.said)
    assert strict_server.refusals == []


def test_the_same_seed_says_the_same(strict_server: StrictServer, openai: OpenAI):
    first = [by_openai(openai, WRAPPED) for _ in range(20)]
    other = StrictServer()
    with OpenAI(base_url=other.openai_url, api_key="k") as client:
        second = [by_openai(client, WRAPPED) for _ in range(20)]
    other.close()

    assert first == second
    assert len(set(first)) > 10


def wrapped(schema: Any, **more: Any) -> dict[str, Any]:
    properties = {"next_step": schema}
    closed = {"type": "object", "properties": properties, "required": ["next_step"]}
    return closed | {"additionalProperties": False} | more


def opened(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "additionalProperties"}


DEEP: dict[str, Any] = {"type": "string"}
for _ in range(11):
    DEEP = wrapped(DEEP)
TREE = wrapped(
    {"$ref": "#/$defs/Tree"},
    **{"$defs": {"Tree": wrapped({"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]})}},
)
REFERRED = {"$defs": {"Add": ADD}}
OPEN: dict[str, Any] = {
    "an open object": wrapped(opened(ADD)),
    "an object that is open on purpose": wrapped({**ADD, "additionalProperties": True}),
    "a map": wrapped({"type": "object", "additionalProperties": {"type": "string"}}),
}
AT_ROOT: dict[str, Any] = {
    "a union at the root": {"anyOf": [ADD, DONE]},
    "a list at the root": {"type": "array", "items": ADD},
}
EVERYWHERE: dict[str, Any] = {
    **AT_ROOT,
    "a discriminator": wrapped({"anyOf": [ADD, DONE], "discriminator": {"propertyName": "intent"}}),
    "patternProperties": wrapped({**ADD, "patternProperties": {"a": {"type": "string"}}}),
    "a length": wrapped({"type": "string", "maxLength": 3}),
    "anything": wrapped({}),
    "a reference to nowhere": wrapped({"$ref": "#/$defs/Lost"}),
    "what is required and not there": wrapped({**ADD, "required": ["b"]}),
    "an enum of nothing": wrapped({"type": "string", "enum": []}),
    "an unknown type": wrapped({"type": "date"}),
}
OF_ONE: dict[str, dict[str, Any]] = {
    "openai": {
        **OPEN,
        "oneOf": wrapped({"oneOf": [ADD, DONE]}),
        "allOf": wrapped({"allOf": [ADD]}),
        "a property that is not required": wrapped({**ADD, "required": ["intent"]}),
        "a default": wrapped({"type": "string", "default": "x"}),
        "a reference with neighbours": wrapped({"$ref": "#/$defs/Add", "title": "x"}, **REFERRED),
        "the format uri": wrapped({"type": "string", "format": "uri"}),
        "eleven levels": DEEP,
        "two objects that begin alike": wrapped(
            {"anyOf": [wrapped({"type": "string"}), wrapped({"type": "integer"})]}
        ),
        "a thousand and one values": wrapped({"type": "integer", "enum": list(range(1001))}),
    },
    "anthropic": {
        **OPEN,
        "oneOf": wrapped({"oneOf": [ADD, DONE]}),
        "a minimum": wrapped({"type": "integer", "minimum": 1}),
        "two items": wrapped({"type": "array", "items": {"type": "string"}, "minItems": 2}),
        "recursion": TREE,
        "17 unions": wrapped(
            {
                "type": "object",
                "properties": {f"p{n}": {"type": ["string", "null"]} for n in range(17)},
                "required": [f"p{n}" for n in range(17)],
                "additionalProperties": False,
            }
        ),
        "25 optional parameters": wrapped(
            {
                "type": "object",
                "properties": {f"p{n}": {"type": "string"} for n in range(25)},
                "additionalProperties": False,
            }
        ),
    },
    "gemini": {
        "allOf": wrapped({"allOf": [ADD]}),
        "a const": wrapped({"type": "string", "const": "x"}),
        "a pattern": wrapped({"type": "string", "pattern": "x"}),
        "an enum of truth": wrapped({"type": "boolean", "enum": [True]}),
        "recursion": TREE,
    },
}
REFUSALS = {
    f"{vendor}, {'tool' if tool else 'native'}: {name}": (vendor, tool, schema)
    for vendor, own in OF_ONE.items()
    for tool in ([False] if vendor == "gemini" else [False, True])  # it has no strict functions
    for name, schema in [*EVERYWHERE.items(), *own.items()]
}


@pytest.mark.parametrize(("vendor", "tool", "schema"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses_what_a_strict_mode_refuses(
    vendor: str,
    tool: bool,
    schema: Any,
    request: pytest.FixtureRequest,
    strict_server: StrictServer,
):
    with pytest.raises((BadRequestError, APIStatusError, ClientError)) as refusal:
        ask(vendor, request, schema, tool=tool)

    assert getattr(refusal.value, "status_code", None) or refusal.value.code == 400
    assert len(strict_server.refusals) == 1
    assert strict_server.said == []


@each_vendor
@pytest.mark.parametrize("schema", AT_ROOT.values(), ids=AT_ROOT)
def test_a_tool_that_is_not_strict_takes_an_object_nonetheless(
    vendor: str, schema: Any, request: pytest.FixtureRequest, strict_server: StrictServer
):
    with pytest.raises((BadRequestError, APIStatusError, ClientError)):
        ask(vendor, request, schema, tool=True, strict=False)
    assert ask(vendor, request, wrapped({"oneOf": [ADD, opened(DONE)]}), tool=True, strict=False)


def test_recursion_is_fine_for_openai_and_comes_to_an_end(openai: OpenAI):
    texts = {by_openai(openai, TREE) for _ in range(50)}

    assert len(texts) > 3


@each_vendor
def test_what_pydantic_makes_of_a_union_is_refused_as_it_is(
    vendor: str, request: pytest.FixtureRequest
):
    with pytest.raises((BadRequestError, APIStatusError, ClientError)):
        ask(vendor, request, STEP.json_schema())


def of(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


MARKED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
BAD_MESSAGES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "no messages": ("openai anthropic", []),
    "an unknown role": ("openai anthropic", [of("tester", "x")]),
    "nothing said": ("openai anthropic", [of("user", "")]),
    "blanks": ("openai anthropic", [of("user", " \n")]),
    "no parts": ("openai anthropic", [of("user", [])]),
    "an empty part": ("openai anthropic", [of("user", [{"type": "text", "text": ""}])]),
    "half a character": ("openai anthropic", [of("user", "\ud800")]),
    "a mark of another vendor": ("openai", [of("user", [MARKED])]),
    "an orphan result": ("openai", [{**of("tool", "x"), "tool_call_id": "c1"}]),
    "an orphan call": ("openai", [{"role": "assistant", "tool_calls": [CALL]}, of("user", "x")]),
    "a system message": ("anthropic", [of("system", "x")]),
    "the assistant first": ("anthropic", [of("assistant", "x"), of("user", "y")]),
    "the assistant last": ("anthropic", [of("user", "x"), of("assistant", "y")]),
    "five cache marks": ("anthropic", [of("user", [MARKED] * 5)]),
    "an unknown field": ("anthropic", [{**of("user", "x"), "cache": True}]),
    "an orphan tool_result": (
        "anthropic",
        [of("user", [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}])],
    ),
}


@pytest.mark.parametrize(
    ("vendor", "messages"),
    [(v, said) for vendors, said in BAD_MESSAGES.values() for v in vendors.split()],
    ids=[f"{v}: {name}" for name, (vendors, _) in BAD_MESSAGES.items() for v in vendors.split()],
)
def test_it_refuses_messages_that_a_vendor_refuses(
    vendor: str, messages: Any, request: pytest.FixtureRequest, strict_server: StrictServer
):
    client = request.getfixturevalue(vendor)
    with pytest.raises((BadRequestError, APIStatusError, UnicodeEncodeError)):
        BY[vendor](client, WRAPPED, messages=messages)

    assert strict_server.said == []


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_field_that_no_vendor_knows_is_refused(vendor: str, request: pytest.FixtureRequest):
    with pytest.raises((BadRequestError, APIStatusError), match="not permitted"):
        ask(vendor, request, WRAPPED, extra_body={"system_note": "be nice"})


def test_it_keeps_the_bytes_that_came(strict_server: StrictServer, openai: OpenAI):
    by_openai(openai, WRAPPED, messages=[of("user", "gr\u00fc\u00df dich")])

    [kept] = strict_server.requests
    assert "gr\u00fc\u00df dich".encode() in kept.body
    assert kept.headers["authorization"] == "Bearer k"
    assert strict_server.asked[0].texts == ("gr\u00fc\u00df dich",)


@pytest.mark.parametrize(
    ("status", "after"), [(429, "1"), (429, "Fri, 20 Nov 2026 12:00:00 GMT"), (500, ""), (529, "")]
)
@each_vendor
def test_it_fails_once_when_told_to(
    vendor: str,
    status: int,
    after: str,
    request: pytest.FixtureRequest,
    strict_server: StrictServer,
):
    strict_server.fails(fails(status, "not now", retry_after=after))

    with pytest.raises(Exception, match="not now") as failure:
        ask(vendor, request, WRAPPED)
    response = failure.value.response  # type: ignore[attr-defined]
    assert response.headers["retry-after"] == after
    assert ask(vendor, request, WRAPPED)


def test_a_truncated_reply_says_so(strict_server: StrictServer, openai: OpenAI):
    strict_server.fails(truncated())

    with pytest.raises(LengthFinishReasonError):
        openai.chat.completions.parse(
            model="m", messages=[{"role": "user", "content": "go"}], response_format=Add
        )


def test_the_limit_of_the_request_truncates_too(strict_server: StrictServer, anthropic: Anthropic):
    strict_server.says("x" * 100)
    said = anthropic.messages.create(
        model="m", max_tokens=2, messages=[{"role": "user", "content": "go"}]
    )

    assert said.stop_reason == "max_tokens"
    assert said.content[0].text == "x" * 8  # type: ignore[union-attr]


def test_a_refusal_has_no_text(strict_server: StrictServer, anthropic: Anthropic, openai: OpenAI):
    strict_server.fails(refused(), refused())
    asked: Any = {"model": "m", "messages": [{"role": "user", "content": "go"}]}
    said = openai.chat.completions.create(**asked).choices[0].message

    assert said.content is None
    assert said.refusal
    assert anthropic.messages.create(max_tokens=9, **asked).stop_reason == "refusal"


def test_a_slow_reply_runs_into_a_timeout(strict_server: StrictServer, anthropic: Anthropic):
    strict_server.fails(slow(30))

    with pytest.raises(APITimeoutError):
        by_anthropic(anthropic, WRAPPED, timeout=0.2)


def test_a_broken_connection_is_no_reply(strict_server: StrictServer, openai: OpenAI):
    strict_server.fails(cut_off())

    with pytest.raises(APIConnectionError):
        by_openai(openai, WRAPPED)


@pytest.mark.parametrize("fault", [no_json(), a_page()], ids=["half a text", "a page"])
def test_noise_is_no_reply(fault: Any, strict_server: StrictServer, openai: OpenAI):
    strict_server.fails(fault)

    with pytest.raises((ValueError, AttributeError)):
        by_openai(openai, WRAPPED)


@pytest.mark.parametrize("vendor", BY)
@each_mode
def test_streams_come_to_the_same(
    vendor: str, tool: bool, request: pytest.FixtureRequest, strict_server: StrictServer
):
    client = request.getfixturevalue(vendor)

    assert json.loads(streamed(vendor, client, tool)) == json.loads(strict_server.said[0])


def streamed(vendor: str, client: Any, tool: bool) -> str:
    message = [{"role": "user", "content": "go"}]
    if vendor == "openai":
        structured = {"name": "next_step", "strict": True, "schema": WRAPPED}
        function = {"name": "next_step", "strict": True, "parameters": WRAPPED}
        options: Any = {"response_format": {"type": "json_schema", "json_schema": structured}}
        if tool:
            options = {"tools": [{"type": "function", "function": function}]}
            options["tool_choice"] = "required"
        pieces = client.chat.completions.create(model="m", messages=message, stream=True, **options)
        deltas = [piece.choices[0].delta for piece in pieces if piece.choices]
        calls = [call.function.arguments for d in deltas for call in d.tool_calls or ()]
        return "".join(calls if tool else [d.content or "" for d in deltas])
    if vendor == "anthropic":
        options = {"output_config": {"format": {"type": "json_schema", "schema": WRAPPED}}}
        if tool:
            options = {"tools": [{"name": "n", "strict": True, "input_schema": WRAPPED}]}
            options["tool_choice"] = {"type": "tool", "name": "n"}
        with client.messages.stream(
            model="m", max_tokens=4096, messages=message, **options
        ) as stream:
            block = stream.get_final_message().content[0]
        return json.dumps(block.input) if tool else block.text
    return streamed_by_gemini(client, tool)


def streamed_by_gemini(client: Client, tool: bool) -> str:
    config: Any = {"response_mime_type": "application/json", "response_json_schema": WRAPPED}
    if tool:
        function = {"name": "n", "parameters_json_schema": WRAPPED}
        choice = {"mode": "ANY", "allowed_function_names": ["n"]}
        config = {
            "tools": [{"function_declarations": [function]}],
            "tool_config": {"function_calling_config": choice},
        }
    pieces = [
        part
        for piece in client.models.generate_content_stream(model="m", contents="go", config=config)
        for part in piece.candidates[0].content.parts  # type: ignore[index,union-attr]
    ]
    return json.dumps(pieces[0].function_call.args) if tool else "".join(p.text for p in pieces)  # type: ignore
