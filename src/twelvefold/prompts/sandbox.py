"""The templates of prompts: Jinja2 in a sandbox, without HTML, chance and other files."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import (
    Environment,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    nodes,
    pass_environment,
)
from jinja2.filters import make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from twelvefold.prompts import inserting


def compiled(source: str) -> Template:
    """Raises `TemplateSyntaxError`."""
    tree = _ENVIRONMENT.parse(source)
    for node in tree.find_all(tuple(_NOT_HERE)):
        raise TemplateSyntaxError(_NOT_HERE[type(node)], node.lineno)
    return _ENVIRONMENT.from_string(_Concatenations().visit(tree))


_ONE_FILE = "a prompt is one file: pass what belongs to it as a variable"
_UNGUARDED = "filter and call blocks are not here: use a set block, and {{ name | filter }}"
_NOT_HERE: dict[type[nodes.Node], str] = {
    nodes.Include: _ONE_FILE,
    nodes.Import: _ONE_FILE,
    nodes.FromImport: _ONE_FILE,
    nodes.Extends: _ONE_FILE,
    # Jinja2 puts out what these make without asking `finalize`.
    nodes.FilterBlock: _UNGUARDED,
    nodes.CallBlock: _UNGUARDED,
    nodes.ScopedEvalContextModifier: "autoescape is for HTML; what is inserted is escaped anyway",
}


class _Concatenations(NodeTransformer):
    """`a ~ b` keeps what is Raw, as `join` does."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        items = nodes.List([self.visit(each) for each in node.nodes], lineno=node.lineno)
        return nodes.Filter(items, "join", [], [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox: no private attribute, no change of a variable, no range above 100,000."""

    concat = staticmethod(inserting.joined)  # pyright: ignore

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """What is formatted into a Raw text is not vouched for, so the whole is text."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None
        return lambda *args, **names: str.__str__(wrapped(*args, **names))


def _environment() -> _Environment:
    made: Any = _Environment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # for HTML; `finalize` escapes for prompts
        finalize=inserting.inserted,
    )
    for name in ("random", "striptags", "urlize", "xmlattr"):  # chance, and HTML
        del made.filters[name]
    del made.globals["lipsum"]
    made.filters |= {
        **{"join": _join, "tojson": _tojson, "trim": inserting.trimmed},
        **{"indent": inserting.indented, "safe": inserting.vouched},
        **{"e": inserting.safe, "escape": inserting.safe, "forceescape": inserting.safe},
    }
    return made


@pass_environment
def _join(
    environment: Environment,
    value: Iterable[Any],
    d: str = "",
    attribute: str | int | None = None,
) -> str:
    if attribute is None:
        return inserting.join(value, d)
    return inserting.join(value, d, item=make_attrgetter(environment, attribute))


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


_ENVIRONMENT = _environment()
