"""What a prompt inserts: text and numbers, escaped, so that no content opens a tag.

Whatever stands in the file is the owner's and is sent as it is. Whatever is inserted is escaped
unless it is `Raw`. Nothing here depends on chance, so the same variables give the same bytes.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from jinja2 import (
    Environment,
    StrictUndefined,
    Template,
    Undefined,
    nodes,
    pass_context,
    pass_environment,
)
from jinja2.filters import make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from twelvefold.exceptions import PromptError
from twelvefold.messages import Part
from twelvefold.tags import escape


def compiled(source: str) -> Template:
    """Raises `TemplateSyntaxError`."""
    tree = _ENVIRONMENT.parse(source)
    return _ENVIRONMENT.from_string(_Concatenations().visit(tree))


class Raw(Markup):
    """Text that you vouch for: a prompt inserts it as it is.

    Only its own methods keep it so: what is added to it, or formatted into it, is escaped.
    """

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> "Raw":
        text = _text_of(s)
        if isinstance(text, InParts):
            _refuse_to_change()
        return text if isinstance(text, Raw) else Raw(escaped(text))


class InParts(Raw):
    """Raw text with the ends of its parts: (offset, cache mark). It cannot be changed."""

    ends: tuple[tuple[int, bool], ...]

    def __new__(
        cls, text: str, ends: tuple[tuple[int, bool], ...] | None = None, /, *_: Any
    ) -> "InParts":
        if ends is None:  # made by a method of text, which knows nothing of parts
            _refuse_to_change()
        made = super().__new__(cls, text)
        made.ends = ends
        return made

    def __str__(self) -> str:
        return self  # Jinja2 calls str() on what it inserts, and the ends must survive that

    def __format__(self, format_spec: str) -> str:
        _refuse_to_change()


def _refuse_to_change() -> NoReturn:
    raise PromptError(
        "a thread in parts is inserted alone, as {{ thread }}: filters, joins and formats would"
        " lose its cache marks. Let context return a text where you need them"
    )


def in_parts(parts: Sequence[Part]) -> Raw:
    """The texts as one that may be inserted; `parts_of` finds the parts again."""
    offset, ends = 0, list[tuple[int, bool]]()
    for place, part in enumerate(parts, start=1):
        offset += len(part.text)
        if part.cache or place < len(parts):
            ends.append((offset, part.cache))
    return InParts("".join(part.text for part in parts), tuple(ends))


def parts_of(text: str, *, cache: bool) -> list[Part]:
    """`cache`: whether the last part bears a mark."""
    ends = text.ends if isinstance(text, InParts) else ()
    plain, start, parts = str.__str__(text), 0, list[Part]()
    for end, marked in ends:
        parts.append(Part(plain[start:end], marked))
        start = end
    return [*parts, Part(plain[start:], cache)]


def joined(pieces: Iterable[str]) -> Raw:
    """What a template yields is safe already: its own text, or what `inserted` let through."""
    texts = list(pieces)
    offset, ends = 0, list[tuple[int, bool]]()
    for text in texts:
        if isinstance(text, InParts):
            ends += [(offset + end, marked) for end, marked in text.ends]
        offset += len(text)
    whole = "".join(texts)
    return InParts(whole, tuple(ends)) if ends else Raw(whole)


@pass_context  # and therefore never called while compiling, when there is no line to name
def inserted(_: Any, value: Any) -> Raw:
    """The guard of every `{{ }}`. Raises `PromptError` for what is neither text nor a number."""
    return value if isinstance(value, InParts) else Raw.escape(value)


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value if isinstance(value, Raw) else str.__str__(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, and says which name is missing
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    shown = "None" if value is None else f"a {type(value).__name__}"
    raise PromptError(
        f"{shown} is inserted, and only text and numbers can be. Say how it is written, for"
        " example with `| tojson`, `| join(', ')` or `'yes' if x else 'no'`"
    )


def escaped(text: str) -> str:
    """Without any tag, also none that what follows would complete."""
    return _OPENS_AT_END.sub("&lt;", escape(text))


_OPENS_AT_END = re.compile(r"<(?=/?\Z)")


# Jinja2's filters know HTML and plain text. These know `Raw`, and write JSON for models, not pages.


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


@pass_environment
def _join(
    environment: Environment,
    values: Iterable[Any],
    d: str = "",
    attribute: str | int | None = None,
) -> str:
    if attribute is not None:
        values = map(make_attrgetter(environment, attribute), values)
    texts = list(map(_text_of, values))
    vouched = isinstance(d, Raw) or any(isinstance(text, Raw) for text in texts)
    return Raw.escape(d).join(texts) if vouched else d.join(texts)


def _safe(value: Any) -> Raw:
    return Raw(_text_of(value))


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text = value if isinstance(value, str) else str(value)
    return text.replace(old, new, count)


def _indent(value: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    pad = " " * width if isinstance(width, int) else width
    lines = value.split("\n")
    padded = [pad + line if line or blank else line for line in lines]
    text = "\n".join(padded if first else [lines[0], *padded[1:]])
    return Raw(text) if isinstance(value, Raw) and not isinstance(value, InParts) else text


class _Concatenations(NodeTransformer):
    """`a ~ b` keeps what is Raw, as `join` does."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        items = nodes.List([self.visit(each) for each in node.nodes], lineno=node.lineno)
        return nodes.Filter(items, "join", [], [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox: no private attribute, no change of a variable, no range above 100,000."""

    concat = staticmethod(joined)  # pyright: ignore


def _environment() -> _Environment:
    made: Any = _Environment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # for HTML; `finalize` escapes for prompts
        finalize=inserted,
    )
    for name in ("random", "striptags", "urlize", "xmlattr"):  # chance, and HTML
        del made.filters[name]
    del made.globals["lipsum"]
    made.filters |= {
        **{"safe": _safe, "e": Raw.escape, "escape": Raw.escape, "forceescape": Raw.escape},
        **{"tojson": _tojson, "join": _join, "replace": _replace, "indent": _indent},
    }
    return made


_ENVIRONMENT = _environment()
