"""Phase two: a value against a schema. What it must be, it becomes; what had to change is said.

Keys and enum values match by folding alone. Nothing is dropped but a null that stands for a
default. A number may have been written as a text, a list of one as that one; no other type is
guessed.
"""

from typing import Any, cast

from twelvefold.schemas.nodes import Node, takes_null
from twelvefold.thread import Json
from twelvefold.tools.constraints import CONSTRAINTS, unmet
from twelvefold.tools.folding import meant
from twelvefold.tools.rules import Fit, Mismatch, Rules, plain, shown, takes_more
from twelvefold.tools.scalars import AS_NUMBER, KINDS
from twelvefold.tools.values import Unclosed, same, strict

ALIAS, ENUM_ALIASES = "x-alias", "x-enum-aliases"
LIST_OF_ONE = "one item taken as a list of one"
_JOINS = frozenset(",;\n|")


class Match:
    """One matching. Each value meets each schema once, however often a union comes back to it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._seen: dict[tuple[int, int], Fit | Mismatch] = {}
        self._kept: list[Json] = []  # an id is unique only while its object lives
        self._alone: set[int] = set()  # what is being taken as a list of one

    def fit(self, value: Json, schema: Json, at: str = "") -> Fit:
        """Raises `Mismatch`."""
        if not isinstance(schema, dict) or not schema:
            return Fit(plain(value))
        key = (id(value), id(cast(Node, schema)))
        found = self._seen.get(key)
        if found is None:
            self._kept += (value, schema)
            found = self._checked(value, cast(Node, schema), at)
            self._seen[key] = found
        if isinstance(found, Mismatch):
            raise found
        return found

    def _checked(self, value: Json, schema: Node, at: str) -> Fit | Mismatch:
        try:
            found = self._fit(value, schema, at)
        except Mismatch as mismatch:
            return mismatch
        wrong = unmet(found.value, schema) if CONSTRAINTS in schema else ""
        return Mismatch(at, f"does not meet {wrong}") if wrong else found

    def _fit(self, value: Json, schema: Node, at: str) -> Fit:
        if "$ref" in schema:
            return self.fit(value, self._target(schema), at)
        if variants := schema.get("anyOf", schema.get("oneOf")):
            return self._union(value, variants, at)
        if "const" in schema or "enum" in schema:
            return self._enum(value, schema, at)
        if parts := schema.get("allOf"):
            return self._all(value, schema, parts, at)
        types = schema.get("type", _implied(schema))
        if isinstance(types, list):
            return self._union(
                value, [schema | {"type": one} for one in cast(list[str], types)], at
            )
        if types == "object":
            return self._object(value, schema, at)
        if types == "array":
            return self._list(value, schema, at)
        return self._scalar(value, types, at)

    def _target(self, schema: Node) -> Node:
        """What is referred to: one object for all who refer to it."""
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return self.rules.defs[name] if name in self.rules.defs else self.rules.resolved(schema)

    def _all(self, value: Json, schema: Node, parts: list[Json], at: str) -> Fit:
        rest = {key: one for key, one in schema.items() if key != "allOf"}
        fitted = Fit(value)
        for part in [*parts, rest] if "properties" in rest or "type" in rest else parts:
            one = self.fit(fitted.value, part, at)
            fitted = Fit(one.value, (*fitted.notes, *one.notes))
        return fitted

    def _union(self, value: Json, variants: list[Json], at: str) -> Fit:
        """The variants that need the fewest repairs must mean one value."""
        fits: list[Fit] = []
        wrong: list[Mismatch] = []
        for variant in variants:
            try:
                fits.append(self.fit(value, variant, at))
            except Mismatch as mismatch:
                wrong.append(mismatch)
        if not fits:
            raise _nearest(wrong, at)
        fewest = min(len(one.notes) for one in fits)
        best = [one for one in fits if len(one.notes) == fewest]
        if any(not same(one.value, best[0].value) for one in best):
            raise Mismatch(at, f"{shown(value)} may mean more than one thing", "ambiguous")
        as_written = (one for one in best if type(one.value) is type(value))  # 7.0 is not made 7
        return next(as_written, best[0])

    def _enum(self, value: Json, schema: Node, at: str) -> Fit:
        choices: list[Json] = schema.get("enum", [schema.get("const")])
        aliases: dict[str, str] = schema.get(ENUM_ALIASES, {})
        written = {aliases.get(one, one): one for one in choices if isinstance(one, str)}
        if isinstance(value, str):
            word = value if self.rules.exact else meant(value, written)
            if word in written:
                notes = () if word == value else (f"{at or 'value'} read as {word}",)
                return Fit(written[word], notes)
        if not isinstance(value, str) and any(same(value, one) for one in choices):
            return Fit(plain(value))
        if isinstance(value, str) and not self.rules.exact:
            for one in choices:
                if str(one) == value and isinstance(one, int) and not isinstance(one, bool):
                    return Fit(one, (f"{at or 'value'}: {AS_NUMBER}",))
        words = ", ".join(shown(aliases.get(one, one)) for one in choices)
        raise Mismatch(at, f"must be one of {words}, not {shown(value)}")

    def _scalar(self, value: Json, kind: str, at: str) -> Fit:
        fitted = KINDS[kind](value, self.rules.exact) if kind in KINDS else (plain(value), "")
        if fitted is None:
            raise Mismatch(at, f"must be {_article(kind)}, not {shown(value)}")
        made, note = fitted
        return Fit(made, (f"{at or 'value'}: {note}",) if note else ())

    def _list(self, value: Json, schema: Node, at: str) -> Fit:
        value, notes = self._decoded(value, list)
        if not isinstance(value, list):
            return self._alone_in(value, schema, at)
        first: list[Json] = schema.get("prefixItems", [])
        rest: Json = schema.get("items", {})
        made: list[Json] = []
        for n, item in enumerate(cast(list[Json], value)):
            one = self.fit(item, first[n] if n < len(first) else rest, f"{at}[{n}]")
            made.append(one.value)
            notes += one.notes
        return Fit(made, notes)

    def _alone_in(self, value: Json, schema: Node, at: str) -> Fit:
        """A list of one item, where that cannot be several that were joined into a text."""
        joined = isinstance(value, str) and (not value or not _JOINS.isdisjoint(value))
        whole = isinstance(value, str) and not at  # a reply of words is no list of them
        nested = id(value) in self._alone
        if value is None or joined or whole or nested or self.rules.exact:
            raise Mismatch(at, f"must be a list, not {shown(value)}")
        self._alone.add(id(value))
        try:
            made = self._list([value], schema, at)
        finally:
            self._alone.discard(id(value))
        return Fit(made.value, (LIST_OF_ONE, *made.notes))

    def _decoded(self, value: Json, kind: type) -> tuple[Json, tuple[str, ...]]:
        """What a text holds that is itself JSON of this kind."""
        if isinstance(value, str) and value[:1] in {"{", "["} and not self.rules.exact:
            try:
                inner = strict(value)
            except Exception:  # then it is a text
                return value, ()
            if isinstance(inner, kind):
                return inner, ("JSON inside of a text",)
        return value, ()

    def _object(self, value: Json, schema: Node, at: str) -> Fit:
        value, notes = self._decoded(value, dict)
        if not isinstance(value, dict):
            raise Mismatch(at, f"must be an object, not {shown(value)}")
        given = cast("dict[str, Json]", value)
        fields: Node = schema.get("properties", {})
        made: dict[str, Json] = {}
        named = list(self._named(given, fields, at))
        for name, one, key_notes in named:
            fitted = self._field(one, name, schema, _below(at, name))
            notes += (*key_notes, *(fitted.notes if fitted else (_by_default(at, name),)))
            if fitted:
                made[name] = fitted.value
        if isinstance(given, Unclosed) and (
            takes_more(schema, self.rules) or len(named) < len(fields)
        ):
            raise Mismatch(at, "the closing brace and maybe more is missing", "truncated")
        if missing := [name for name in schema.get("required", ()) if name not in made]:
            raise Mismatch(_below(at, missing[0]), "is missing")
        return Fit(made, notes)

    def _named(self, given: dict[str, Json], fields: Node, at: str) -> Any:
        """Each field under its own name. Raises `Mismatch` when two keys mean one field."""
        written = {_written(name, node): name for name, node in fields.items()}
        taken: dict[str, Json] = {}
        for key, value in given.items():
            word = key if key in written or self.rules.exact else meant(key, written)
            name = written.get(word, key) if word else key
            if name in taken and (word is None or not same(taken[name], value)):
                raise Mismatch(_below(at, name), "stands twice", "ambiguous")
            if word not in written and key in fields:  # it has another name for models
                raise Mismatch(_below(at, key), "is not the name of a field")
            if name not in taken:
                taken[name] = value
                yield name, value, () if word in {key, None} else (f"key {key} read as {word}",)

    def _field(self, value: Json, name: str, schema: Node, at: str) -> Fit | None:
        """None for a null that stands for the default."""
        fields: Node = schema.get("properties", {})
        if name in fields:
            node: Json = fields[name]
            is_default = value is None and name not in schema.get("required", ())
            if (
                is_default
                and isinstance(node, dict)
                and not takes_null(cast(Node, node), self.rules.defs)
            ):
                return None
            return self.fit(value, node, at)
        extra: Json = schema.get("additionalProperties", self.rules.open)
        if extra is False and not schema.get("patternProperties"):
            raise Mismatch(at, "is not a field of it")
        return self.fit(value, extra, at)


def _written(name: str, node: Json) -> str:
    """What a model writes for a field."""
    return cast(Node, node).get(ALIAS, name) if isinstance(node, dict) else name


def _implied(schema: Node) -> str:
    """The type of a schema that names none."""
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "any"


def _nearest(wrong: list[Mismatch], at: str) -> Mismatch:
    """The complaint that says most: of the variant that was left latest."""
    for reason in ("truncated", "ambiguous"):
        if found := [one for one in wrong if one.reason == reason]:
            return found[0]
    return (
        max(wrong, key=lambda one: str(one).partition(":")[0].count("."))
        if wrong
        else Mismatch(at, "fits nothing")
    )


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _by_default(at: str, name: str) -> str:
    return f"{_below(at, name)}: null read as the default"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}" if kind != "null" else kind
