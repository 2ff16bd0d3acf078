"""The neutral schema for servers that know all of JSON Schema: only its form is made uniform."""

from twelvefold.schemas.nodes import Node, is_tag, mapped

_OTHER_PARTS = frozenset({"additionalProperties", "patternProperties", "allOf", "anyOf", "$ref"})


def plain(node: Node, *, whole: bool = True) -> Node:
    """The same schema without titles, `oneOf`, `discriminator` and `const`; its tags are required.

    An object that says nothing of further fields is closed, as the parser closes it, unless it is
    not `whole` but a part of an `allOf`. Definitions stay where they are named: at the root.
    """
    made = mapped(
        {key: value for key, value in node.items() if key not in {"title", "$defs", "definitions"}},
        plain,
    )
    if "oneOf" in made and "anyOf" not in made:
        made["anyOf"] = made.pop("oneOf")
    if "allOf" in node:
        made["allOf"] = [plain(one, whole=False) for one in node["allOf"]]
    if whole and "properties" in made and not _OTHER_PARTS & made.keys():
        made["additionalProperties"] = False
    made.pop("discriminator", None)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if is_tag(node):
        del made["default"]
    properties: Node = node.get("properties", {})
    if tags := [name for name, one in properties.items() if is_tag(one)]:
        named = [*node.get("required", ()), *tags]
        made["required"] = sorted(set(named), key=[*properties, *named].index)
    return made
