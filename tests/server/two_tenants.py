"""Two tenants of one server, and every request that its routes take.

The requests are made from the OpenAPI document and the list of pages, so that a route which is
added later is asked as well. What cannot be made up here is said by name: then give it a value.
"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crew import Clock, Pay, app_of, approved_then, chat, settle
from twelvefold.app import App
from twelvefold.server import create_app
from twelvefold.store import EmbeddedStore
from twelvefold.thread import Event

OURS, THEIRS = "acme", "umbrella"
OWN, FOREIGN, ABSENT = "ourthread1", "theirthread1", "absentthread1"
SECRET = "umbrellas-secret-plan"
PATIENCE_S = 60.0
"""Far more than an answer takes; only a defect reaches it."""

IDS = {"thread_id": "{}", "contact_id": "{}.s1.1"}
"""Path parameters that name what is a tenant's, as made from the id of a thread."""

FREE = {
    "name": "crew",
    "source": "github",
    "verb": "pause",
    "hashed": "0" * 12,
    "token": "no-token",
    "section": "events",
}
"""Path parameters that name nothing of a tenant's."""

QUERIES = {"/inbox/changes": {"about": "thread:{}"}}
"""What a page has to be asked with."""

OPEN = re.compile(
    r"/livez|/readyz|/openapi\.json|/v1/problems|/static/.*|/h/.*|/sign-in|/v1/triggers/.*"
)
"""What needs nobody signed in: links and triggers carry a proof of their own."""

VALUES: Mapping[str, Any] = {
    "agent": "crew",
    "input": "go",
    "text": "hello",
    "decision": "approve",
    "to": "bob",
    "reason": "because",
}
"""Of fields in bodies, where any text of the described shape would not be understood."""

_NAMES_ONE = re.compile(r"(^|_)(id|thread|contact)s?$")
_BY_CHANCE = re.compile(r"\b[0-9a-hjkmnp-tv-z]{17}\b|(?<=latency_s\":)[0-9.e-]+")
"""Ids that a server makes, and how long a model took."""


@dataclass(frozen=True)
class Operation:
    """One method of one path; `spec` is empty for a page."""

    method: str
    path: str
    spec: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    schemas: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def is_about_a_tenant(self) -> bool:
        return self.path in QUERIES or any(name in IDS for name in self.names)

    @property
    def is_open(self) -> bool:
        return OPEN.fullmatch(self.path) is not None

    def at(self, thread: str) -> str:
        """The path for what belongs to this thread. Raises `KeyError` for an unknown parameter."""
        named = {name: form.format(thread) for name, form in IDS.items()}
        return self.path.format(**{name: {**FREE, **named}[name] for name in self.names})

    def body(self, **known: Any) -> Any:
        """A body of the described shape, with these values of fields that it has."""
        content = self.spec.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        schema = content["application/json"]["schema"]
        return made_up(schema, self.schemas, known=known | VALUES)

    def takes(self, place: str) -> set[str]:
        return {p["name"].lower() for p in self.spec.get("parameters", []) if p["in"] == place}


def operations(app: App) -> list[Operation]:
    served = create_app(app)
    document = served.openapi()
    schemas = document["components"]["schemas"]
    described = [
        Operation(method.upper(), path, spec, schemas)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]
    known = {str(one) for one in described}
    pages = [Operation(m, p) for m, p in sorted(set(_routes(served.routes))) if m != "HEAD"]
    return described + [page for page in pages if str(page) not in known]


def _routes(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner: Any = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes)
        else:
            for method in getattr(route, "methods", None) or ():
                yield method, re.sub(r":\w+\}", "}", route.path)  # pyright: ignore


def made_up(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], *, known: Mapping[str, Any] = VALUES
) -> Any:
    """The smallest value of this shape, with the fields that are known."""
    if "$ref" in schema:
        return made_up(schemas[schema["$ref"].rpartition("/")[2]], schemas, known=known)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        return made_up(choice, schemas, known=known)
    if "const" in schema or "enum" in schema:
        return schema.get("const", *schema.get("enum", [])[:1])
    match schema.get("type"):
        case "object" | None:
            fields, required = schema.get("properties", {}), schema.get("required", ())
            wanted = [name for name in fields if name in required or name in known]
            return {n: known.get(n) or made_up(fields[n], schemas, known=known) for n in wanted}
        case "array":
            return [made_up(schema["items"], schemas, known=known)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return "x" * max(1, schema.get("minLength", 1))
        case other:
            raise AssertionError(f"nothing is made up here for a value of type {other!r}")


# The world


def application(store: EmbeddedStore) -> App:
    agent = chat(approved_then(lambda step: "paid"))
    return app_of(agent, store, lambda request: Pay(to="the baker"), clock=Clock())


async def peopled(app: App, *, with_theirs: bool) -> None:
    """Our thread waits for anna; so does theirs, where there are any."""
    await app.launch("crew", "pay the baker", thread_id=OWN, tenant=OURS, sender="olga")
    if with_theirs:
        for name in (FOREIGN, "theirthread2"):
            await app.launch("crew", SECRET, thread_id=name, tenant=THEIRS, sender="olga")
        await app.send(FOREIGN, SECRET, key="shared", tenant=THEIRS)
    await settle(app)
    assert app.inbox(tenant=OURS), "our thread waits for nobody"


def all_of_theirs(app: App) -> list[tuple[Event, ...]]:
    rows = app.threads(tenant=THEIRS)
    return [tuple(app.thread(row.ref.id, tenant=THEIRS).events) for row in rows]


class Asking:
    """Whoever sends requests with a key, and has seen what our thread asks."""

    def __init__(self, client: httpx.AsyncClient, app: App) -> None:
        self.client, self.app = client, app

    async def __call__(
        self, operation: Operation, thread: str, key: str | None, **more: Any
    ) -> httpx.Response:
        """What is answered; of a stream, its beginning."""
        headers = more.pop("headers", {})
        if key is not None:
            headers = {"Authorization": f"Bearer {key}", **headers}
        asked = [row for row in self.app.inbox(tenant=OURS) if row.ref.id == OWN]
        known = {"digest": asked[0].data["digest"]} if asked else {}
        if (body := more.pop("body", operation.body(**known))) is not None:
            more["json"] = body
        elif operation.method == "POST":
            more["data"] = {"decision": "approve"}
        for name, form in QUERIES.get(operation.path, {}).items():
            more["params"] = {name: form.format(thread), **more.get("params", {})}
        path = operation.at(thread)
        with anyio.fail_after(PATIENCE_S):
            return await self.client.request(operation.method, path, headers=headers, **more)


@asynccontextmanager
async def asking(app: App, **options: Any) -> AsyncIterator[Asking]:
    """Limits are out of the way: other tests are about them."""
    many = {"requests_per_minute_max": 10**6, "failures_per_minute_max": 10**6}
    transport = httpx.ASGITransport(ending_streams(create_app(app, **many, **options)))
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        yield Asking(client, app)


class _Enough(Exception):
    """Of a stream."""


def ending_streams(served: ASGIApp) -> ASGIApp:
    """The same application, whose event streams end after their first words."""

    async def ended(scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = False

        async def sending(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = b"text/event-stream" in b"".join(map(b"".join, message["headers"]))
            elif is_stream:
                await send({**message, "more_body": False})
                raise _Enough
            await send(message)

        try:
            await served(scope, receive, sending)
        except* _Enough:
            pass

    return ended


def said(answer: httpx.Response, *, id: str = "") -> str:
    """All that somebody learns from an answer; what is by chance, and the id asked for, masked."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("content-length", "date")
    }
    text = f"{answer.status_code}\n{headers}\n{answer.text}"
    masked = text.replace(id, "<asked>") if id else text
    return _BY_CHANCE.sub("<by chance>", masked)


def with_ids_of(operation: Operation, thread: str) -> list[Any]:
    """The bodies of an operation whose optional fields name a thread or contact."""
    content = operation.spec.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    schema = content["schema"]
    for choice in schema.get("anyOf", ()):
        schema = choice if "$ref" in choice else schema
    schema = operation.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    names = [name for name in schema.get("properties", ()) if _NAMES_ONE.search(name)]
    return [{**(operation.body() or {}), name: thread} for name in names]
