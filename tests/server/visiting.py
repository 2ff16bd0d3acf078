"""An office behind the pages, and people who visit it without a browser."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from fastapi import Request
from fastapi.testclient import TestClient

from browser.site import make_app
from twelvefold.app import App
from twelvefold.exceptions import NotSignedIn
from twelvefold.server import Principal, create_app

PERSON = "x-person"


class Named:
    """Access for people whom a header names; `x-assurance` says how they were proven, and
    `x-program` that no browser sends it by itself."""

    async def principal(self, request: Request) -> Principal:
        if not (name := request.headers.get(PERSON)):
            raise NotSignedIn("Nobody is signed in. Sign in, then load the page again.")
        proven = request.headers.get("x-assurance", "signed_in")
        tenant = request.headers.get("x-tenant", "default")
        person = None if name.startswith("key:") else name
        by_itself = "x-program" not in request.headers
        return Principal(name, person, assurance=proven, tenant=tenant, ambient=by_itself)


class Visitor(TestClient):
    """A person before the pages of an application. Redirects are not followed: tests look at them.

    The engine works when told to: `settle`.
    """

    def __init__(self, app: App, person: str | None = "anna", **headers: str) -> None:
        given = headers if person is None else {PERSON: person, **headers}
        super().__init__(
            create_app(app, access=Named()),
            base_url="http://inbox.example",
            headers=given,
            follow_redirects=False,
        )
        self.of = app

    def as_(self, person: str | None, **headers: str) -> "Visitor":
        return Visitor(self.of, person, **headers)


def settle(app: App) -> None:
    asyncio.run(app.run(until_idle=True))


def begun(app: App, text: str, *, agent: str = "desk", name: str) -> str:
    """A thread at rest; the id of the contact that it waits for."""
    asyncio.run(app.launch(agent, text, thread_id=name, sender="cleo"))
    settle(app)
    rows = [r for r in app.inbox() if r.ref.id == name or r.ref.id.startswith(f"{name}.")]
    return f"{rows[0].ref.id}.{rows[0].id}"


@contextmanager
def office(folder: Path) -> Iterator[App]:
    app = make_app(folder)
    try:
        yield app
    finally:
        app.close()


@dataclass
class Form:
    """A form as a browser without JavaScript would send it off."""

    action: str
    method: str
    id: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    buttons: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """(name, value, what stands on it)"""
    names: list[str] = field(default_factory=list[str])

    def send(
        self, visitor: httpx.Client, button: str | None = None, **typed: str | list[str]
    ) -> httpx.Response:
        """Press the button with this text, after these fields were filled in."""
        data: dict[str, Any] = {name: values for name, values in self.fields.items() if values}
        data |= typed
        if button is not None:
            name, value, _ = next(b for b in self.buttons if b[2] == button)
            data |= {name: value} if name else {}
        return visitor.request(self.method, self.action, data=data)


class _Forms(HTMLParser):
    """Reads the forms of a page, with fields and buttons that name a form from outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.strays: list[tuple[str, str, Any]] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._area: tuple[str, dict[str, Any]] | None = None
        self._button: tuple[dict[str, Any], list[str]] | None = None
        self._text: list[str] = []
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        match tag:
            case "form":
                method = (given.get("method") or "get").upper()
                self._open = Form(given.get("action") or "", method, given.get("id") or "")
                self.forms.append(self._open)
            case "input":
                self._input(given)
            case "select":
                self._select, self._options = given.get("name") or "", []
            case "option":
                self._options.append((given.get("value") or "", "selected" in given))
            case "textarea":
                self._area, self._text = (given.get("name") or "", given), []
            case "button":
                self._button = (given, [])
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text.append(data)
        if self._button is not None:
            self._button[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._open = None
            case "select" if self._select is not None:
                chosen = [v for v, on in self._options if on] or [v for v, _ in self._options[:1]]
                self._add(self._select, chosen, {})
                self._select = None
            case "textarea" if self._area is not None:
                name, given = self._area
                text = "".join(self._text)
                self._add(name, [text.removeprefix("\n").replace("\n", "\r\n")], given)
                self._area = None
            case "button" if self._button is not None:
                given, texts = self._button
                said = re.sub(r"\s+", " ", "".join(texts)).strip()
                if form := self._of(given):
                    form.buttons.append((given.get("name") or "", given.get("value") or "", said))
                self._button = None
            case _:
                pass

    def _input(self, given: dict[str, str | None]) -> None:
        name, kind = given.get("name") or "", given.get("type") or "text"
        if kind in ("checkbox", "radio"):
            self._add(name, [given.get("value") or "on"] if "checked" in given else [], given)
        elif name:
            self._add(name, [given.get("value") or ""], given)

    def _add(self, name: str, values: list[str], given: dict[str, Any]) -> None:
        if form := self._of(given):
            form.names.append(name)
            form.fields.setdefault(name, []).extend(values)

    def _of(self, given: dict[str, Any]) -> Form | None:
        if named := given.get("form"):
            return next((form for form in self.forms if form.id == named), None)
        return self._open


def forms(page: httpx.Response) -> list[Form]:
    reader = _Forms()
    reader.feed(page.text)
    return [Form(f.action or str(page.url), *_rest(f)) for f in reader.forms]


def _rest(form: Form) -> tuple[Any, ...]:
    return form.method, form.id, form.fields, form.buttons, form.names


def form_with(page: httpx.Response, button: str) -> Form:
    """The form that has this button."""
    return next(f for f in forms(page) if any(said == button for *_, said in f.buttons))


def words(page: httpx.Response) -> str:
    """What a person reads on a page, without its tags, as one line."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    inline = re.sub(r"</?(bdi|span|time|code|b|small|a)\b[^>]*>", "", body)
    text = re.sub(r"<[^>]+>", " ", inline)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'")):
        text = text.replace(entity, char)
    return re.sub(r"\s+", " ", text.replace("&amp;", "&")).strip()


def seen_at(app: App) -> datetime:
    return app.clock()
