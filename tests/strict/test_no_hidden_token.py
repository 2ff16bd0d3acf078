"""Nothing reaches a model but what the user wrote or can print: files, rendered events, schema.

Asserted on the bytes that the server received, from the SDK's side of the wire.
"""

import hashlib
import inspect
import json
import re
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from loading import EXAMPLES

from strict.server import StrictServer
from strict.stories import STORIES, told
from strict.unions import OF_EXAMPLES, linear_triage, mailcrew
from strict.vendors import WAYS, Way, asking, name_of, obeyed
from twelvefold import render
from twelvefold.messages import FilePart, Message, ModelRequest, Part
from twelvefold.thread import Thread
from twelvefold.tools import schema_of

pytestmark = pytest.mark.anyio

PROMPTS = {
    "calculator": "calculator/next_step.md",
    "release": "release_pipeline/next_step.md",
    "rollback": "release_pipeline/roll_back.md",
    "deployer": "outer_loop/next_step.md",
    "mailcrew": "mailcrew/next_step.md",
    "triage": "linear_triage/next_step.md",
    "support": "support_triage/next_step.md",
    "bot": None,
}
"""By the name of an agent. None: the rendered thread is the whole prompt."""
CONTEXTS = {"mailcrew": mailcrew.next_step.context, "triage": linear_triage.context}
"""Renderings of the user's own."""
NAMED = "ENG-8"
"""The other variable of a prompt."""
HEADERS = re.compile(
    "host|accept|accept-encoding|connection|content-type|content-length|user-agent|authorization"
    "|x-api-key|anthropic-version|x-stainless-[a-z-]+|x-goog-api-(key|client)|x-server-timeout"
)
HEADER_CHARS_MAX = 80
TESTS = Path(__file__).parents[1]

each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@each_way
@pytest.mark.parametrize("story", STORIES)
async def test_every_character_is_of_a_file_an_event_or_the_schema(
    story: str, way: Way, strict_server: StrictServer, tmp_path: Path
):
    async with told(story, tmp_path, way, strict_server) as (scenario, carried):
        threads = [scenario.app.thread(row.ref.id) for row in scenario.app.threads()]

    assert len(strict_server.requests) == len(carried.requests) > 0
    assert strict_server.refusals == []
    for sent, request in zip(strict_server.requests, carried.requests, strict=True):
        by_hand = from_files(request, threads)
        assert [(one.role, one.text) for one in request.messages] == by_hand
        assert json.loads(sent.body) == way.body(request)
        assert sent.body == way.vendor.bytes(way.model(strict_server).body(request))
        assert unexplained_headers(sent.headers) == {}
    assert {"model_failed", "advance_failed"}.isdisjoint(
        event.type for thread in threads for event in thread.events
    )


def from_files(request: ModelRequest, threads: list[Thread]) -> list[tuple[str, str]]:
    """Role and text of each message: the user's file, and in it the log as it was then."""
    [thread] = [thread for thread in threads if thread.id == request.thread_id]
    [reply] = [e for e in thread.events if e.data.get("prompt") == request.hash()]
    shown = CONTEXTS.get(request.agent, render)
    context = shown(thread.upto(reply.after or reply.seq - 1))
    name = PROMPTS[request.agent]
    if name is None:
        return [("user", context)]
    file = (EXAMPLES / name).read_text(encoding="utf-8")
    parts = re.split(r"^--- (system|user|assistant)\n", file, flags=re.MULTILINE)
    assert parts[0] == ""
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    texts = [(role, text.replace("{{ name }}", NAMED)) for role, text in pairs]
    return [(role, text.replace("{{ thread }}", context)) for role, text in texts]


def unexplained_headers(headers: dict[str, str]) -> dict[str, str]:
    """Those that a prompt could hide in."""
    return {
        name: text
        for name, text in headers.items()
        if not HEADERS.fullmatch(name) or len(text) > HEADER_CHARS_MAX
    }


@each_way
@pytest.mark.parametrize("union", OF_EXAMPLES)
def test_every_word_of_a_schema_is_the_users(union: str, way: Way):
    steps = OF_EXAMPLES[union]
    schema = way.schema(schema_of(steps))

    assert schema is None or foreign_words(schema, source_of(steps)) == []


def foreign_words(node: Any, source: str) -> list[str]:
    """Names, values and descriptions in a schema that no file of the user's has."""
    known = {"next_step", "$defs"}
    if isinstance(node, list):
        return [word for one in node for word in foreign_words(one, source)]
    if not isinstance(node, dict):
        return []
    written = [node["description"]] if "description" in node else []
    written += [*node.get("properties", {}), *node.get("$defs", {}), *node.get("required", ())]
    written += [value for value in node.get("enum", ()) if isinstance(value, str)]
    lost = [word for word in written if word not in known and word not in source]
    return lost + [word for one in node.values() for word in foreign_words(one, source)]


def source_of(steps: Any) -> str:
    """The files in which the steps are written, and their own docstrings as Python reads them."""
    classes = [steps] if isinstance(steps, type) else steps.__args__
    ours = TESTS.parent / "src" / "twelvefold" / "intents.py"  # names that the user imported
    codes = [EXAMPLES.rglob("*.py"), [TESTS / "crew.py", TESTS / "golden" / "agents.py", ours]]
    texts = [path.read_text(encoding="utf-8") for paths in codes for path in paths]
    return "\n".join([*texts, *(inspect.cleandoc(one.__doc__ or "") for one in classes)])


def test_a_word_of_ours_in_a_schema_would_be_found():
    ours = {"type": "object", "properties": {"tag": {"type": "string", "description": "Be nice."}}}

    assert foreign_words(ours, "tag: str") == ["Be nice."]
    assert unexplained_headers({"x-system-note": "Be nice."})
    assert unexplained_headers({"user-agent": "Be nice. " * 10})


STREAMING: dict[str, dict[str, Any]] = {
    "openai": {"stream": True, "stream_options": {"include_usage": True}},
    "anthropic": {"stream": True},
    "gemini": {},
}


@each_way
async def test_streaming_adds_only_its_switch(way: Way, strict_server: StrictServer):
    shown: list[str] = []
    model = way.model(strict_server, on_partial=lambda text, _: shown.append(text))
    request = asking(schema_of(OF_EXAMPLES["calculator"]))
    strict_server.obeys = obeyed(schema_of(OF_EXAMPLES["calculator"]))
    reply = await model(request)

    [sent] = strict_server.requests
    assert json.loads(sent.body) == way.body(request) | STREAMING[name_of(way)]
    assert sent.body == way.vendor.bytes(model.body(request))
    assert json.loads(reply.text) == json.loads(strict_server.said[0])
    assert shown[-1] == reply.text
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


OPTIONS: dict[str, dict[str, Any]] = {
    "openai": {"temperature": 0.5, "seed": 7},
    "anthropic": {"stop_sequences": ["END"], "metadata": {"user_id": "u1"}},
    "gemini": {"safetySettings": [], "labels": {"team": "ops"}},
}


@each_way
async def test_the_users_options_are_sent_as_they_are(way: Way, strict_server: StrictServer):
    options = OPTIONS[name_of(way)]
    await way.model(strict_server, options=options)(asking(None))

    [sent] = strict_server.requests
    assert json.loads(sent.body) == way.body(asking(None)) | options


IMAGE, BILL = b"\x89PNG not really", b"%PDF not really"
KEPT = {hashlib.sha256(content).hexdigest(): content for content in (IMAGE, BILL)}
IN_BASE64 = {content: b64encode(content).decode() for content in (IMAGE, BILL)}
FILES: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {"type": "text", "text": "What is this?"},
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/png;base64,{IN_BASE64[IMAGE]}"},
        },
        {
            "type": "file",
            "file": {
                "filename": "bill.pdf",
                "file_data": f"data:application/pdf;base64,{IN_BASE64[BILL]}",
            },
        },
    ],
    "anthropic": [
        {"type": "text", "text": "What is this?"},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": IN_BASE64[IMAGE]},
        },
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": IN_BASE64[BILL]},
        },
    ],
    "gemini": [
        {"text": "What is this?"},
        {"inlineData": {"mimeType": "image/png", "data": IN_BASE64[IMAGE]}},
        {"inlineData": {"mimeType": "application/pdf", "data": IN_BASE64[BILL]}},
    ],
}


@each_way
async def test_a_file_is_sent_as_its_bytes_and_nothing_else(way: Way, strict_server: StrictServer):
    image, bill = KEPT
    parts = (
        Part("What is this?"),
        FilePart(sha256=image, media_type="image/png", name="shot.png"),
        FilePart(sha256=bill, media_type="application/pdf", name="bill.pdf"),
    )
    request = ModelRequest((Message("user", parts),)).with_contents(KEPT.__getitem__)
    await way.model(strict_server)(request)

    [sent] = strict_server.requests
    bare = way.body(asking(None, "x"))
    holder, inside = ("contents", "parts") if name_of(way) == "gemini" else ("messages", "content")
    bare[holder][0][inside] = FILES[name_of(way)]
    assert json.loads(sent.body) == bare
    assert strict_server.refusals == []
