"""What goes to a model, and its hash."""

from typing import Any

import pytest

from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import (
    Message,
    ModelRequest,
    Part,
    RequestHash,
    Usage,
    message,
    messages_of,
    model_named,
    models_of,
)
from twelvefold.models.scripted import ScriptedModel


@pytest.mark.parametrize(
    "prompt", ["hi", lambda: "hi", [message("user", "hi")], lambda: [message("user", "hi")]]
)
def test_every_kind_of_prompt_gives_messages(prompt):
    assert messages_of(prompt) == (Message("user", (Part("hi"),)),)


def request(*messages: Message, schema: str | None = None) -> ModelRequest:
    return ModelRequest(messages, schema)


def test_the_hash_sees_every_byte_that_is_sent():
    variants = [
        request(message("user", "ab")),
        request(message("user", "a\u00a0b")),
        request(message("system", "ab")),
        request(message("user", "a"), message("user", "b")),
        request(Message("user", (Part("a"), Part("b")))),
        request(Message("user", (Part("ab", cache=True),))),
        request(message("user", "ab"), schema="{}"),
        request(message("user", "a\ud800")),
        request(),
    ]

    assert len({variant.hash() for variant in variants}) == len(variants)


@pytest.mark.parametrize(
    "texts",
    [
        ["", "a", "ab", "ab"],
        ["abc", "ab", "abd", "xbd"],
        ["a\ud83d", "a\ud83d\ude00", "a\U0001f600"],
        ["\u00e4", "\u00e4\u20ac", "\u00e4\u20ac\U0001f600"],
    ],
)
def test_a_text_that_grows_has_the_hash_of_its_whole(texts: list[str]):
    hashes, schemas = RequestHash(), ["{}", None, '{"a":1}', "{}"]

    for text, schema in zip(texts, schemas, strict=False):
        asked = request(message("system", "be brief"), message("user", text), schema=schema)
        assert hashes.of(asked) == asked.hash()


def test_the_hash_sees_where_a_text_that_grew_is_divided():
    hashes = RequestHash()
    asked = [
        request(message("user", "ab")),
        request(message("user", "ab"), message("user", "c")),
        request(message("user", "a"), message("user", "bc")),
        request(Message("user", (Part("ab"), Part("c")))),
        request(message("user", "abc")),
        request(message("user", "abc"), schema='["user",[[0,false]]]'),
        request(message("user", "abc"), message("user", "")),
    ]

    found = [hashes.of(one) for one in asked]

    assert found == [one.hash() for one in asked]
    assert len(set(found)) == len(asked)


def test_the_hash_does_not_see_where_the_call_belongs():
    one = ModelRequest((message("user", "hi"),), thread_id="a", agent="x", turn=1)
    other = ModelRequest((message("user", "hi"),), thread_id="b", agent="y", turn=2)

    assert one.hash() == other.hash()


def test_the_text_is_all_that_the_model_reads():
    both = request(message("system", "be brief"), Message("user", (Part("a"), Part("b"))))

    assert both.text == "be brief\nab"


def test_usage_keeps_only_what_was_used():
    assert Usage(input=3, cost=0.5).to_data() == {"input": 3, "cost": 0.5}
    assert Usage().to_data() == {}


@pytest.mark.parametrize("given", ["gpt-5", ScriptedModel])
def test_what_cannot_be_asked_is_no_model(given: Any):
    with pytest.raises(ConfigurationError, match="cannot be asked: pass a model, such as"):
        App([], model=given)


def test_a_model_is_found_by_its_name_or_is_the_first():
    large, small = ScriptedModel([]), ScriptedModel([])
    models = models_of(None, {"large": large, "small": small})

    assert model_named(models, None) is large
    assert model_named(models, "small") is small
    with pytest.raises(ConfigurationError, match="no model 'tiny'; it has: large, small"):
        model_named(models, "tiny")
    with pytest.raises(ConfigurationError, match=r"no model to ask: App\(\[\.\.\.\], model="):
        model_named({}, None)
