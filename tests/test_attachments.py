"""What is too large for the log: kept beside it, named in it, readable, and never silently cut."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from crew import STORES, Look, Meddled, app_of, events, pipeline, ran_by, settle, state, store_of
from twelvefold.app import App
from twelvefold.attachments import ATTACHMENT_BYTES_MAX, PREVIEW_CHARS_MAX, Attachment, described
from twelvefold.call import Call
from twelvefold.context import parse, render
from twelvefold.encoding import DEPTH_MAX
from twelvefold.exceptions import StoreFull, UnknownAttachment, UnknownThread
from twelvefold.notices.events import said
from twelvefold.thread import from_jsonl
from twelvefold.tools import RESULT_BYTES_MAX

pytestmark = pytest.mark.anyio

TEN_MB = 10_000_000


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


class Report(BaseModel):
    title: str
    files: list[Attachment]


async def ran(store: Any, tool: Any, *, thread_id: str = "t") -> App:
    app = app_of(pipeline(Look(), carry_out=ran_by(tool)), store)
    await app.launch("crew", "go", thread_id=thread_id)
    await settle(app)
    return app


def attaching(content: Any, media_type: str = "text/plain") -> Any:
    return lambda _, call: call.attach(content, media_type)


def returned(app: App) -> dict[str, Any]:
    [event] = events(app, "tool_returned")
    return event.data


# Too deep


async def test_a_result_that_is_nested_too_deeply_is_an_outcome_all_the_same(store):
    value: Any = []
    for _ in range(DEPTH_MAX - 1):
        value = [value]

    app = await ran(store, lambda _: value)

    assert "nested more than" in returned(app)["why"]


# Too large


@pytest.mark.parametrize("sync", [True, False])
async def test_a_result_of_ten_megabytes_is_kept_and_readable(store, sync):
    text = "line of a log\n" * (TEN_MB // 14)

    async def read(_: Any) -> str:
        return text

    app = await ran(store, (lambda _: text) if sync else read)

    result = state(app).by_id("s1").result
    assert isinstance(result, Attachment)
    assert (result.size, result.media_type) == (len(text), "text/plain; charset=utf-8")
    assert app.attachment("t", result.sha256) == text.encode()
    assert returned(app)["preview"] == text[:PREVIEW_CHARS_MAX]
    assert len(json.dumps(returned(app))) < 2 * PREVIEW_CHARS_MAX


async def test_a_large_structure_is_kept_as_json(store):
    rows = [{"n": n, "name": "x" * 100} for n in range(20_000)]
    app = await ran(store, lambda _: rows)

    result = state(app).by_id("s1").result
    assert result.media_type == "application/json"
    assert json.loads(app.attachment("t", result.sha256)) == rows


async def test_the_model_reads_the_beginning_and_how_much_there_is(store):
    app = await ran(store, lambda _: "y" * (RESULT_BYTES_MAX + 1))

    [shown] = [body for tag, body in parse(render(app.thread("t"))) if tag == "look_result"]
    assert shown["preview"] == "y" * PREVIEW_CHARS_MAX
    assert shown["shown"] == f"the first {PREVIEW_CHARS_MAX} of {RESULT_BYTES_MAX + 1} characters"
    assert shown["attachment"]["size"] == RESULT_BYTES_MAX + 1


async def test_people_read_how_large_it_is(store):
    app = await ran(store, lambda _: "y" * (RESULT_BYTES_MAX + 1))

    line = said(events(app, "tool_returned")[0], "t")
    assert line.startswith(f"-> attachment of {RESULT_BYTES_MAX + 1} bytes, text/plain")


async def test_a_result_that_just_fits_stays_in_the_log(store):
    app = await ran(store, lambda _: "y" * (RESULT_BYTES_MAX - 2))

    assert "attachment" not in returned(app)


async def test_a_text_with_a_lone_surrogate_is_kept_as_json(store):
    text = "\ud800" + "y" * RESULT_BYTES_MAX
    app = await ran(store, lambda _: text)

    result = state(app).by_id("s1").result
    assert json.loads(app.attachment("t", result.sha256)) == text


class Full:
    """A store without room for attachments."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def keep(self, content: bytes, *, tenant: str = "default") -> str:
        raise StoreFull("the disk is full")


async def test_an_outcome_is_not_lost_with_the_bytes_that_no_disk_holds(store):
    app = await ran(Full(store), lambda _: "y" * (RESULT_BYTES_MAX + 1))

    assert returned(app)["why"] == "the disk is full"
    assert returned(app)["unstorable"].startswith("'yyy")
    assert state(app).by_id("s1").status == "returned"


async def test_the_bytes_are_durable_before_the_event_that_names_them(store):
    kept = []
    text = "y" * (RESULT_BYTES_MAX + 1)
    sha256 = described(text.encode(), "text/plain").sha256

    async def before() -> None:
        kept.append(store.kept(sha256))

    await ran(Meddled(store, "tool_returned", before), lambda _: text)

    assert kept == [text.encode()]


async def test_a_stop_while_the_bytes_are_kept_costs_no_outcome(store):
    class Slow(Full):
        def keep(self, content: bytes, *, tenant: str = "default") -> str:
            loop.call_soon_threadsafe(running.cancel)
            return self._store.keep(content, tenant=tenant)

    loop = asyncio.get_running_loop()
    text = "y" * (RESULT_BYTES_MAX + 1)
    app = app_of(pipeline(Look(), carry_out=ran_by(lambda _: text)), Slow(store), stop_grace_s=0.0)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await asyncio.gather(running, return_exceptions=True)

    assert returned(app)["attachment"]["size"] == len(text)


# Attached by a tool


async def test_a_tool_may_return_what_it_attached(store, tmp_path):
    path = tmp_path / "plan.csv"
    path.write_bytes(b"a,b\n")

    def attach(_: Any, call: Call[None]) -> Attachment:
        return call.attach(path, "text/csv")

    app = await ran(store, attach)

    result = state(app).by_id("s1").result
    assert (result.ref, result.media_type, result.size) == ("plan.csv", "text/csv", 4)
    assert app.attachment("t", result.sha256) == b"a,b\n"
    assert "plan.csv" in render(app.thread("t"))


async def test_attachments_inside_a_result_are_read_back_with_it(store):
    def report(_: Any, call: Call[None]) -> Report:
        files = [call.attach(part, "image/png") for part in (b"\x89PNG", b"\x00\xff")]
        return Report(title="two", files=files)

    app = await ran(store, report)

    read = state(app).by_id("s1").result_as(Report)
    assert [app.attachment("t", file.sha256) for file in read.files] == [b"\x89PNG", b"\x00\xff"]


@pytest.mark.parametrize(
    ("content", "media_type", "words"),
    [
        ("text", "text/plain", "bytes or a Path can be attached, not str"),
        (None, "text/plain", "not NoneType"),
        (b"x", "csv", "no media type"),
        (b"x", "text/plain\nX: y", "no media type"),
        (bytes(ATTACHMENT_BYTES_MAX + 1), "text/plain", "ATTACHMENT_BYTES_MAX"),
    ],
    ids=["text", "nothing", "no type", "header", "too large"],
)
async def test_what_cannot_be_attached_says_why(store, content, media_type, words):
    app = await ran(store, attaching(content, media_type))

    assert words in events(app, "tool_failed")[0].data["error"]


async def test_a_file_that_is_not_there_or_too_large_says_so(store, tmp_path):
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(ATTACHMENT_BYTES_MAX + 1)
    for path, words in ((tmp_path / "none", "cannot be read"), (big, "big has")):
        app = await ran(store, attaching(path), thread_id=path.name)
        assert words in events(app, "tool_failed", path.name)[0].data["error"]


def test_what_is_no_attachment_is_not_read_as_one():
    with pytest.raises(ValidationError):
        Attachment(sha256="abc", media_type="text/plain", size=1)


# Reading


async def test_only_a_thread_that_names_it_opens_an_attachment(store):
    app = await ran(store, attaching(b"mine"))
    sha256 = state(app).by_id("s1").result.sha256
    await app.launch("crew", "go", thread_id="other")

    with pytest.raises(UnknownAttachment, match="other names no attachment"):
        app.attachment("other", sha256)
    with pytest.raises(UnknownThread):
        app.attachment("t", sha256, tenant="acme")
    with pytest.raises(UnknownAttachment):
        app.attachment("t", "0" * 64)


async def test_a_fork_shares_what_its_original_kept(store):
    app = await ran(store, attaching(b"mine"))
    sha256 = state(app).by_id("s1").result.sha256
    fork = await app.fork("t")

    assert app.attachment(fork, sha256) == b"mine"


async def test_an_exported_log_names_what_it_does_not_carry(store):
    app = await ran(store, lambda _: "y" * (RESULT_BYTES_MAX + 1))
    text = app.thread("t").to_jsonl()

    assert len(text) < RESULT_BYTES_MAX
    assert from_jsonl(text) == app.thread("t")
