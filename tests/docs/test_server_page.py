"""docs/server.md lists every route and every kind of refusal, and nothing else."""

import re
from typing import Any

from blocks import ROOT

from twelvefold.app import App
from twelvefold.server import create_app
from twelvefold.server.problems import STATUSES
from twelvefold.testing import MemoryStore

PAGE = (ROOT / "docs/server.md").read_text(encoding="utf-8")
BY_THE_FRAMEWORK = {
    ("malformed", 400),
    ("no-such-path", 404),
    ("no-such-method", 405),
    ("too-large", 413),
    ("not-json", 415),
}


def document() -> dict[str, Any]:
    return create_app(App([], store=MemoryStore())).openapi()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = document()["paths"].items()
    return [(method.upper(), path, one) for path, ops in paths for method, one in ops.items()]


def test_the_page_lists_every_route_and_no_other():
    listed = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", PAGE, re.MULTILINE)

    assert sorted(listed) == sorted(f"{method} {path}" for method, path, _ in operations())


def test_the_page_lists_every_kind_of_refusal_and_no_other():
    listed = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", PAGE, re.MULTILINE)
    there = {(type, status) for _, status, type, _ in STATUSES} | BY_THE_FRAMEWORK

    assert {(type, int(status)) for type, status in listed} == there


def test_every_operation_says_what_it_does_takes_answers_and_refuses():
    for method, path, one in operations():
        assert one["summary"], path
        codes = {code: body for code, body in one["responses"].items() if code >= "400"}
        for code, body in codes.items():
            assert list(body["content"]) == ["application/problem+json"], (path, code)
            assert body["description"], (path, code)
        if path.startswith("/v1/") and path != "/v1/problems":
            assert {"401", "422", "500", "503"} <= set(codes), path
        if method == "POST" and "requestBody" in one:
            assert {"400", "413", "415"} <= set(codes), path


def test_every_operation_but_those_of_health_and_triggers_names_its_key():
    keyless = {path for _, path, one in operations() if not one.get("security")}

    assert keyless == {"/livez", "/readyz", "/v1/problems", "/v1/triggers/{source}"}


def test_what_is_answered_is_described_by_a_schema_that_is_there():
    spec = document()
    text = str(spec)
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in spec["components"]["schemas"], name
    links = re.findall(r"'operationId': '(\w+)', 'parameters': \{", text)
    assert set(links) <= {one["operationId"] for _, _, one in operations()}
    assert len(links) > 10
