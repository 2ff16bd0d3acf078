"""What a server answers becomes a value that the log can hold, whatever it is."""

import base64
from typing import Any

import pytest
from mcp_types import CallToolResult

from twelvefold.call import Call
from twelvefold.mcp.client.results import PARTS_MAX, text_of, value_of

CALL = Call("k", 1, "default", "t", None)


def value(*content: Any, **more: Any) -> Any:
    result = CallToolResult.model_validate({"content": list(content), **more})
    return value_of(result, CALL.attach)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("content", "structured", "expected"),
    [
        ([], {}, None),
        ([text("a")], {}, "a"),
        ([text("a"), text("b")], {}, {"content": ["a", "b"]}),
        ([text('{"a": 1}')], {"structuredContent": {"a": 1}}, {"a": 1}),
        ([text("5")], {"structuredContent": {"result": 5}}, {"result": 5}),
        ([text("so it is")], {"structuredContent": {"result": "so it is"}}, {"result": "so it is"}),
        ([], {"structuredContent": {"a": 1}}, {"a": 1}),
        (
            [text("seen")],
            {"structuredContent": {"a": 1}},
            {"structured": {"a": 1}, "content": ["seen"]},
        ),
    ],
)
def test_texts_and_structures(content: Any, structured: Any, expected: Any):
    assert value(*content, **structured) == expected


def test_bytes_are_attached_and_links_are_not_followed():
    blob = base64.b64encode(b"%PDF").decode()
    resource = {"uri": "file:///a.pdf", "mimeType": "application/pdf", "blob": blob}
    made = value(
        {"type": "audio", "data": blob, "mimeType": "audio/wav"},
        {"type": "resource", "resource": resource},
        {"type": "resource", "resource": {"uri": "file:///a.txt", "text": "words"}},
        {"type": "resource_link", "uri": "https://inside.example/", "name": "a"},
    )["content"]

    assert made[0]["attachment"]["media_type"] == "audio/wav"
    assert made[1]["uri"] == "file:///a.pdf"
    assert made[1]["attachment"]["size"] == 4
    assert made[2:] == [
        {"uri": "file:///a.txt", "text": "words"},
        {"uri": "https://inside.example/", "name": "a"},
    ]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [("not base64!", "image/png"), ("QQ==", "no media type"), ("QQ", "image/png")],
)
def test_bytes_that_cannot_be_kept_cost_no_outcome(data: str, media_type: str):
    made = value({"type": "image", "data": data, "mimeType": media_type}, text("and words"))

    assert made["content"][0]["left_out"].startswith("bytes that cannot be kept")
    assert made["content"][1] == "and words"


def test_a_thousand_parts_are_enough():
    made = value(*[text("a")] * (PARTS_MAX + 5))["content"]

    assert len(made) == PARTS_MAX + 1
    assert made[-1] == {"left_out": "5 more parts"}


def test_an_error_without_words_says_so():
    assert text_of(CallToolResult(content=[], is_error=True)) == "it gave no reason"
