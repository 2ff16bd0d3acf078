"""generateContent as Gemini takes and gives it: JSON schema, forced function, plain."""

import json
import re
from collections.abc import Iterator
from typing import Any

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
from strict.rules import GEMINI

PATH = re.compile(r"/v1(?:beta)?/models/(?P<model>[^:/]+)(?P<verb>:\w+)(?:\?alt=sse)?")
STREAMING_VERB = ":streamGenerateContent"
KNOWN = frozenset(
    "contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent"
    " labels serviceTier store".split()
)
FILES = re.compile("(image/(png|jpeg|gif|webp)|application/pdf);")
SCHEMA = "parametersJsonSchema"
STREAMED_CHARS = 7


def read(request: Request) -> Asked:
    """What the request asks for. Raises `Refused`."""
    if not request.headers.get("x-goog-api-key"):
        raise Refused("Method doesn't allow unregistered callers.", status=403)
    body = body_of(request)
    only(body, KNOWN)
    path = PATH.fullmatch(request.path)
    assert path is not None
    system = body.get("systemInstruction")
    texts = (
        *(_parts(system, "systemInstruction") if system else ()),
        *_texts(needed(body, "contents", list)),
    )
    config = body.get("generationConfig", {})
    schema, tool = _structured(config), None
    if "tools" in body:
        schema, tool = _tool(body, schema)
    stream = path["verb"] == STREAMING_VERB
    return Asked(path["model"], texts, schema, tool, stream, config.get("maxOutputTokens"))


def _texts(contents: list[Any]) -> Iterator[str]:
    if not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified")
    for number, content in enumerate(contents):
        where = f"contents[{number}]"
        only(content, {"role", "parts"}, where)
        if content.get("role") not in {"user", "model"}:
            raise Refused("Please use a valid role: user, model.", param=where)
        yield from _parts(content, where)
    if contents[-1]["role"] != "user":
        raise Refused("Please ensure that multiturn requests end with a user role.")


def _parts(content: dict[str, Any], where: str) -> Iterator[str]:
    parts = needed(content, "parts", list, f"{where}.")
    if not parts:
        raise Refused(f"{where}.parts must not be empty.")
    for number, part in enumerate(parts):
        at = f"{where}.parts[{number}]"
        if isinstance(blob := part.get("inlineData"), dict):
            only(part, {"inlineData"}, f"{at}.")
            only(blob, {"mimeType", "data"}, f"{at}.inlineData.")
            yield file_of("{mimeType};{data}".format(**blob), FILES, at)
        else:
            only(part, {"text"}, f"{at}.")
            yield text_of(part.get("text"), f"{at}.text")


def _structured(config: dict[str, Any]) -> str | None:
    schema = config.get("responseJsonSchema")
    if "responseSchema" in config:
        raise Refused("generationConfig.responseSchema: only responseJsonSchema is proven here")
    if schema is None:
        return None
    if config.get("responseMimeType") != "application/json":
        raise Refused("responseJsonSchema needs responseMimeType: application/json")
    return checked(schema, GEMINI, "generation_config.response_json_schema")


def _tool(body: dict[str, Any], schema: str | None) -> tuple[str, str]:
    """The schema and the name of the function that must be called."""
    if schema is not None:
        raise Refused("Function calling with a response mime type 'application/json'")
    schemas: dict[str, str] = {}
    for tool in body["tools"]:
        for given in tool.get("functionDeclarations", ()):
            where = "tools.functionDeclarations."
            # The SDK sends names as Python writes them here; the service reads both.
            function = {{"parameters_json_schema": SCHEMA}.get(k, k): v for k, v in given.items()}
            only(function, {"name", "description", SCHEMA}, where)
            name = named(function.get("name"), where + "name")
            schemas[name] = checked(function.get(SCHEMA), None, where + name)
    choice = body.get("toolConfig", {}).get("functionCallingConfig", {})
    names = choice.get("allowedFunctionNames", [])
    if choice.get("mode") != "ANY" or len(names) != 1 or names[0] not in schemas:
        raise Refused("toolConfig.functionCallingConfig: forces no one function")
    return schemas[names[0]], names[0]


def reply(asked: Asked, said: Said) -> Reply:
    if asked.stream:
        return Reply(
            chunks=[*_streamed(asked, said)], headers={"Content-Type": "text/event-stream"}
        )
    text = json.dumps(_response(asked, said, _part(asked, said), last=True))
    # The arguments are put in as they were said, not as this program would write them.
    return Reply(chunks=[text.replace('"@input"', said.text).encode()])


def _part(asked: Asked, said: Said) -> dict[str, Any] | None:
    """A call comes whole or not at all."""
    if said.finish in {"refused", "filtered"} or (asked.tool and said.finish != "end"):
        return None
    if asked.tool:
        return {"functionCall": {"name": asked.tool, "args": "@input"}}
    return {"text": said.text}


def _response(
    asked: Asked, said: Said, part: dict[str, Any] | None, *, last: bool
) -> dict[str, Any]:
    content = {} if part is None else {"content": {"role": "model", "parts": [part]}}
    candidate: dict[str, Any] = {**content, "index": 0}
    finish = {"truncated": "MAX_TOKENS", "end": "STOP"}.get(said.finish, "SAFETY")
    output = tokens(said.text)
    return {
        "candidates": [candidate | ({"finishReason": finish} if last else {})],
        "usageMetadata": {
            "promptTokenCount": asked.tokens,
            "candidatesTokenCount": output,
            "cachedContentTokenCount": said.read_from_cache,
            "thoughtsTokenCount": said.thought,
            "totalTokenCount": asked.tokens + output + said.thought,
        },
        "modelVersion": asked.model,
        "responseId": "strict",
    }


def _streamed(asked: Asked, said: Said) -> Iterator[bytes]:
    part = _part(asked, said)
    if part is None or asked.tool:  # an event is one line, whatever blanks the model wrote
        text = json.dumps(_response(asked, said, part, last=True))
        args = json.dumps(json.loads(said.text)) if part else ""
        yield f"data: {text.replace(json.dumps('@input'), args)}\r\n\r\n".encode()
        return
    starts = range(0, max(len(said.text), 1), STREAMED_CHARS)
    for start in starts:
        piece = {"text": said.text[start : start + STREAMED_CHARS]}
        response = _response(asked, said, piece, last=start == starts[-1])
        yield f"data: {json.dumps(response)}\r\n\r\n".encode()


def error(status: int, message: str, param: str = "", code: str = "") -> bytes:
    """The body of an error, in the vendor's shape."""
    names = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
    said = {"code": status, "message": message, "status": names.get(status, "INTERNAL")}
    return json.dumps({"error": said}).encode()
