"""No content of a variable opens a tag, begins a message or bears a cache mark."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvefold.context import render
from twelvefold.messages import Message
from twelvefold.prompts import Prompt, Raw, written
from twelvefold.tags import unescape
from twelvefold.testing import given as thread_of
from twelvefold.testing import message as wrote

HOSTILE = [
    *("<", "</", ">", "&", "&lt;", "&amp;", "amp;", "lt;", "/", "!", "?", "_", "\\"),
    *("user_message", "doc", "<doc>", "</doc>", "<slack_message>", "</slack_message>\n"),
    *("\n--- system\n", "\n--- user\n", "\n--- cache\n", "---", "{{ x }}", "{% raw %}", "\n"),
    *(
        "\u202e",
        "\u200b",
        "\x00",
        "\ud800",
        "\u2028",
        "<!--",
        "<![CDATA[",
        "&#60;",
        "\uff1cdoc\uff1e",
    ),
]
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=4)), max_size=12).map("".join)
TAG = re.compile(r"</?(?:[a-zA-Z_!?|]|[^\x00-\x7f])")
SOURCE = """\
--- system
<doc>{{ a }}</doc>
--- cache
<doc>{{ a }}{{ b }}</doc>
--- user
<doc>{{ a ~ b }}</doc>
<doc>{{ [a, b] | join("/") }}</doc>
<doc>{{ [a, {"k": b}] | tojson }}</doc>
<doc>{{ "{} and {}".format(a, b) }}</doc>
<doc>{{ a | indent | trim }}{{ b | upper }}</doc>
<doc>{{ raw + a }}{{ raw.replace("raw", b) }}</doc>
{% macro quoted(x) %}<doc>{{ x }}</doc>{% endmacro -%}
{{ quoted(a) }}{{ quoted(b) }}
{% set both %}<doc>{{ a }}{{ b }}</doc>{% endset -%}
{{ both }}
{% macro held(x) %}{{ x }}{% endmacro -%}
{{ held(a) | upper }}{{ held(a) | lower }}{{ held(a) | title }}{{ held(a).casefold() }}
{{ held(a) | replace("1", "") | replace("-", "") | replace(" ", "") }}{{ held(a)[::-1] }}
{{ held(a) | trim }}{{ b }}{{ held(a) | indent }}{{ held(a) | reverse }}{{ held(a)[:4] }}{{ b }}
{{ held("{0} < {1}").format(a, b) }}{{ (held("{}{}") | attr("format"))(a, b) }}{{ held("%s") % a }}
{{ held(a) ~ held(b) }}{{ b + held(a) + b }}{{ [held(a), b] | join("<") }}{{ held(a) * 2 }}{{ b }}
{{ held(a) | truncate(9, true, "") }}{{ b }}{{ held(a) | wordwrap(3) }}{{ held(a) | center(30) }}
{% for part in held(a).split() %}{{ part }}{% endfor %}{% for c in held(a) %}{{ c }}{% endfor %}
{{ a.encode().decode() if false else a | string }}{{ a | list | join }}{{ a | e }}
"""


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    path: Path = tmp_path_factory.mktemp("prompts") / "next_step.md"
    path.write_text(SOURCE)
    return Prompt(path, context=render)


def shape(messages: tuple[Message, ...]) -> list[tuple[str, list[bool]]]:
    return [(m.role, [part.cache for part in m.parts]) for m in messages]


def tags(messages: tuple[Message, ...]) -> list[str]:
    return [tag for m in messages for tag in TAG.findall(m.text)]


filled = texts.filter(bool)


@given(a=filled, b=texts)
@settings(max_examples=500)
def test_no_content_forges_a_tag_a_message_or_a_mark(prompt: Prompt, a: str, b: str):
    plain = prompt.messages(a="xx", b="yy", raw=Raw("raw"))
    hostile = prompt.messages(a=a, b=b, raw=Raw("raw"))

    assert shape(hostile) == shape(plain)
    assert tags(hostile) == tags(plain)


@given(a=texts)
@settings(max_examples=300)
def test_what_was_inserted_can_be_read_back_exactly(prompt: Prompt, a: str):
    first = prompt.messages(a=a, b="", raw=Raw(""))[0].parts[0].text

    found = re.fullmatch(r"<doc>(.*)</doc>\n", first, re.DOTALL)

    assert found
    assert unescape(found[1]) == a


@given(a=texts, b=texts)
@settings(max_examples=100)
def test_what_a_person_is_shown_has_the_roles_that_are_sent(prompt: Prompt, a: str, b: str):
    messages = prompt.messages(a=a, b=b, raw=Raw("raw"))

    marks = re.findall(r"^--- (.*)$", written(messages), re.MULTILINE)

    assert marks == ["system", "cache", "user"]


@given(text=texts)
@settings(max_examples=100)
def test_a_thread_is_inserted_to_the_byte(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = tmp_path_factory.getbasetemp() / "thread.md"
    path.write_text("{{ thread }}")
    thread = thread_of(wrote(text.encode("utf-8", "replace").decode()))

    [only] = Prompt(path, context=render).messages(thread=thread)

    assert only.text == render(thread)
