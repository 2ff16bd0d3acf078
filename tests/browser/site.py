"""A server that runs beside the test, in a thread of its own, with the engine of its application.

The test drives the application through `Site.do`, which runs a coroutine where the server runs.
Whoever sits before a browser is named by a header, as a proxy does that signs people in.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from browser.desk import Reserve, ReserveSeats, breaks, desk, reply, reserves
from examples.loading import example
from twelvefold import App, ScriptedModel
from twelvefold.app.app import DEFAULT_SETTLES
from twelvefold.loop import utc_now
from twelvefold.messages import ModelReply, ModelRequest
from twelvefold.server import create_app
from twelvefold.server.access import TrustedProxy
from twelvefold.store import ContactRow
from twelvefold.thread import Json

T = TypeVar("T")

PATIENCE_S = 20.0
"""Far more than anything here takes; only a defect reaches it."""

LOOK_S = 0.01
"""Between two looks at a condition."""

PERSON = "x-person"


class Models:
    """The model of the office, and that of the release pipeline. It shows what it would send."""

    def __init__(self) -> None:
        self.release = example("release_pipeline").app.models["default"]
        self.office = ScriptedModel(reply)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        model = self.release if request.agent in ("release", "rollback") else self.office
        return await model(request)

    def body(self, request: ModelRequest) -> Json:
        messages = [{"role": m.role, "content": m.text} for m in request.messages]
        return {"model": "scripted", "messages": messages, "max_tokens": 1000}


class Site:
    """One application and where it is served. `behind`: how far its clock is, so that what happens
    now was long ago for whoever looks."""

    def __init__(self, folder: Path) -> None:
        self.behind = timedelta()
        self.app = make_app(folder, clock=lambda: utc_now() - self.behind)
        self.loop = asyncio.new_event_loop()
        self.url = ""

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it beside the server."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE_S)

    def read(self, look: Callable[[App], T]) -> T:
        """What the application says, read where the server runs."""

        async def looked() -> T:
            return look(self.app)

        return self.do(looked())

    def until(self, holds: Callable[[App], T]) -> T:
        """The first true value of `holds(app)`."""

        async def waited() -> T:
            async with asyncio.timeout(PATIENCE_S):
                while not (found := holds(self.app)):  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(LOOK_S)
                return found

        return self.do(waited())

    def begin(self, text: str, *, agent: str = "desk", name: str | None = None) -> str:
        """A thread that has come to rest: waiting, failed or finished."""

        async def begun() -> str:
            thread_id = await self.app.launch(agent, text, thread_id=name, sender="cleo")
            await self.app.wait(thread_id, timeout_s=PATIENCE_S)
            return thread_id

        return self.do(begun())

    def asked(self, thread_id: str) -> ContactRow:
        """The open contact of a thread, or of a child of it."""
        return self.until(lambda app: self._open(app, thread_id))[0]

    def contact(self, text: str, *, agent: str = "desk", name: str | None = None) -> str:
        """Begin a thread and say what it asks: `<thread>.s1.1`."""
        row = self.asked(self.begin(text, agent=agent, name=name))
        return f"{row.ref.id}.{row.id}"

    def deploy(self, *, name: str | None = None) -> str:
        """The deploybot at its first approval."""
        return self.contact("deploy SHA 4af9ec0 to production", agent="release", name=name)

    def repair(self, *, name: str = "blue") -> str:
        """A step that an older version of the application chose and that is no longer whole."""
        self.app.agents["rooms"] = reserves(Reserve)
        thread_id = self.begin("a room", agent="rooms", name=name)
        self.app.agents["rooms"] = reserves(ReserveSeats)
        self.do(self.app.send(thread_id, "for nine"))
        row = self.until(
            lambda app: [r for r in self._open(app, thread_id) if r.data["kind"] == "repair"]
        )[0]
        return f"{row.ref.id}.{row.id}"

    def answer(self, contact: str, decision: Any, *, by: str = "anna", **more: Any) -> None:
        self.do(self.app.answer(contact, decision, by=by, assurance="signed_in", **more))

    @staticmethod
    def _open(app: App, thread_id: str) -> list[ContactRow]:
        return [
            r for r in app.inbox() if r.ref.id == thread_id or r.ref.id.startswith(thread_id + ".")
        ]


def make_app(folder: Path, *, clock: Callable[[], datetime] | None = None) -> App:
    pipeline = example("release_pipeline")
    pipeline.cluster.path = folder / "cluster.db"
    agents = [*pipeline.app.agents.values(), desk, breaks, reserves(ReserveSeats)]
    settles = {**DEFAULT_SETTLES, "signed_in": "high"}
    return App(agents, store=folder / "threads.db", model=Models(), settles=settles, clock=clock)


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """The site while its server and its engine run."""
    site = Site(folder)
    listening = socket.create_server(("127.0.0.1", 0))
    site.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    access = TrustedProxy(PERSON, networks=["127.0.0.1"])
    options: dict[str, Any] = {"ws": "none", "lifespan": "off", "log_level": "warning"}
    config = uvicorn.Config(
        create_app(site.app, access=access),
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        **options,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(site, server, listening))
    thread.start()
    try:
        site.until(lambda _: server.started)
        yield site
    finally:
        server.should_exit = server.force_exit = True  # nobody waits for an answer any more
        thread.join(PATIENCE_S)
        listening.close()


def _run(site: Site, server: uvicorn.Server, listening: socket.socket) -> None:
    async def both() -> None:
        engine = asyncio.ensure_future(site.app.run())
        await server.serve(sockets=[listening])
        engine.cancel()
        with suppress(asyncio.CancelledError):
            await engine

    with asyncio.Runner(loop_factory=lambda: site.loop) as runner:
        runner.run(both())
    site.app.close()
