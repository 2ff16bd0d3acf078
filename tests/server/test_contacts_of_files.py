"""A log that a file brought may hold contacts that nobody can be shown: a word, and no error."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.visiting import Visitor, begun, office, words
from twelvefold.app import App
from twelvefold.exceptions import TwelvefoldError

NONE: Any = object()
MALFORMED: list[tuple[str, Any]] = [
    ("step", ""),
    ("kind", "nope"),
    ("intent", None),
    ("intent", []),
    ("intent", NONE),
    ("to", {"people": [1], "needed": "x"}),
    ("args", None),
    ("args", NONE),
    ("question", 1.5),
    ("risk", None),
    ("on_expiry", None),
    ("on_expiry", {"escalate": {"to": 1}}),
    ("form", {"kind": "nope"}),
    ("form", {"kind": "json", "schema": {"type": 7}}),
    ("options", [{"name": 1}]),
]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


def brought(app: App, text: str, type: str, key: str, value: Any) -> str:
    """A copy whose first event of this type says something else; "" where it is not let in."""
    rows = [json.loads(line) for line in app.thread(text).to_jsonl().splitlines()]
    data = next(row["data"] for row in rows if row["type"] == type)
    data[key] = value
    if value is NONE:
        del data[key]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    try:
        return asyncio.run(app.import_thread(lines, new_id="copy"))
    except TwelvefoldError:
        return ""


@pytest.mark.parametrize(("key", "value"), MALFORMED)
def test_a_malformed_contact_of_a_file_is_no_error_of_the_server(key: str, value: Any, app: App):
    contact = begun(app, "refund", name="t").rpartition(".s")[2]
    assert brought(app, "t", "contact_requested", key, value)
    visitor = Visitor(app)

    page = visitor.get(f"/contacts/copy.s{contact}")
    shape = visitor.get(f"/v1/contacts/copy.s{contact}")
    around = [visitor.get(path) for path in ("/inbox", "/threads/copy", "/v1/contacts?status=all")]

    assert page.status_code in (200, 409), words(page)
    assert shape.status_code in (200, 409), shape.text
    assert {answer.status_code for answer in around} == {200}
    for answer in (page, shape):
        if answer.status_code == 409:
            assert "came with a file and is not whole" in answer.text
    assert visitor.get("/contacts/t.s1.1").status_code == 200


def test_a_malformed_end_of_a_contact_is_none_either(app: App):
    contact = begun(app, "refund", name="t")
    app.sync.answer(contact, "deny", by="anna", comment="no")
    assert brought(app, "t", "contact_closed", "channel", [1])

    page = Visitor(app).get(contact.replace("t.", "/contacts/copy.", 1))

    assert page.status_code == 409
    assert "is not whole" in words(page)


def test_an_error_that_is_ours_is_a_page_and_a_line_of_the_log(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    contact = begun(app, "refund", name="t")

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("twelvefold.server.pages.decision.asked_of", broken)
    page = Visitor(app).get(f"/contacts/{contact}")

    assert (page.status_code, "a fault of ours" in page.text) == (500, False)
    assert "its log says which" in words(page)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "a fault of ours" in caplog.text
