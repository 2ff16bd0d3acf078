"""App and SyncApp: the verbs, what they refuse, and how people name things."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from crew import (
    START,
    STORES,
    Clock,
    Errand,
    Gate,
    Look,
    Meddled,
    Pay,
    Question,
    Steps,
    app_of,
    approved_then,
    asking,
    ended,
    events,
    pipeline,
    ran_by,
    settle,
    state,
    status,
    store_of,
    types,
)
from twelvefold.agent import Agent
from twelvefold.app import App, SyncApp, verbs
from twelvefold.app.app import STALE_TRIES_MAX
from twelvefold.app.blocking import _ended
from twelvefold.app.names import find_contact, find_thread, new_thread_id, short, split_contact
from twelvefold.effects import Ask, Delegate, Wait
from twelvefold.exceptions import (
    ConfigurationError,
    Conflict,
    InvalidAnswer,
    NotAllowed,
    StoreUnavailable,
    UnknownAgent,
    UnknownContact,
    UnknownThread,
)
from twelvefold.policy import Policy
from twelvefold.thread import to_text

pytestmark = pytest.mark.anyio


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def paid() -> list[str]:
    return []


@pytest.fixture
def app(store, paid) -> App:
    return app_of(paying(paid), store)


def paying(paid: list[str], **options: Any) -> Agent:
    return pipeline(Pay(to="x"), carry_out=approved_then(lambda s: paid.append(s.to), **options))


async def waiting(app: App, thread_id: str = "t") -> App:
    """The thread, as it waits for an approval."""
    await app.launch("crew", "pay x", thread_id=thread_id)
    await settle(app)
    return app


# Launch, send, signal


async def test_launching_the_same_twice_is_launching_once(app):
    first = await app.launch("crew", "go", thread_id="t", channel="mail", sender="ann@x.org")
    assert (
        await app.launch("crew", "go", thread_id="t", channel="mail", sender="ann@x.org") == first
    )

    assert types(app) == ["message_received"]
    assert events(app, "message_received")[0].data == {
        "channel": "mail",
        "from": "ann@x.org",
        "text": "go",
    }


async def test_a_taken_id_is_no_new_thread(store, app):
    other = app_of([paying([]), Agent("other", lambda *_: Wait(), Steps, owner="olga")], store)
    await app.launch("crew", "go", thread_id="t")

    for agent, text in (("crew", "another text"), ("other", "go")):
        with pytest.raises(Conflict, match=r"t is another thread already \(crew\)"):
            await other.launch(agent, text, thread_id="t")
    with pytest.raises(UnknownAgent, match="no agent 'nobody'; it has: crew"):
        await app.launch("nobody", "go")
    assert types(app) == ["message_received"]


@pytest.mark.parametrize("name", ["", "a.b", "@last"])
async def test_a_name_that_could_mean_something_else_is_refused(app, name):
    await app.launch("crew", "go", thread_id="t")
    with pytest.raises(ConfigurationError, match="cannot name a thread"):
        await app.launch("crew", "go", thread_id=name)
    with pytest.raises(ConfigurationError, match="cannot name a thread"):
        await app.fork("t", new_id=name)


async def test_new_ids_sort_by_time_and_differ(app):
    names = [new_thread_id(START + timedelta(milliseconds=n)) for n in range(50)]
    assert (names, len(set(names))) == (sorted(names), 50)
    assert len({new_thread_id(START) for _ in range(50)}) == 50
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{17}", await app.launch("crew", "go"))


async def test_sending_twice_with_one_key_is_one_message(app):
    await waiting(app)
    for key in ("d1", "d1", "d2", None, None):
        await app.send("t", "hello", key=key)

    assert [event.key for event in events(app, "message_received")] == [
        "launch",
        "delivery:d1",
        "delivery:d2",
        None,
        None,
    ]


async def test_a_verb_names_a_thread_that_exists(app):
    for verb in (app.pause, app.resume, app.retry, app.cancel, app.fork):
        with pytest.raises(UnknownThread):
            await verb("nothing")
    for verb in (app.send, app.signal):
        with pytest.raises(UnknownThread):
            await verb("nothing", "text")
    with pytest.raises(UnknownThread):
        await app.answer("nothing.s1.1", "approve", by="anna")
    with pytest.raises(UnknownThread):
        app.thread("nothing")


async def test_threads_of_one_tenant_are_nothing_to_another(app):
    await app.launch("crew", "go", thread_id="t", tenant="acme")

    with pytest.raises(UnknownThread):
        await app.send("t", "hello")
    assert ([row.ref.id for row in app.threads()], app.inbox()) == ([], [])
    await settle(app)
    await app.answer("t.s1.1", "deny", by="anna", comment="no", tenant="acme")
    assert [row.ref.id for row in app.threads(tenant="acme", agent="crew")] == ["t"]


# Answers


async def test_an_answer_that_came_second_changes_nothing_and_says_so(app, paid):
    await waiting(app)
    await app.answer("t.s1.1", "deny", by="anna", comment="not now")

    with pytest.raises(Conflict, match=r"t\.s1\.1 was already denied by anna, 0 s ago"):
        await app.answer("t.s1.1", "approve", by="bob")

    assert types(app)[-3:] == ["contact_answered", "contact_closed", "answer_refused"]
    refused = events(app, "answer_refused")[0].data
    assert (refused["by"], refused["decision"]) == ("bob", "approve")
    await settle(app)
    assert (paid, status(app)) == ([], "finished")


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"by": "eve", "decision": "approve"}, NotAllowed, "eve may not answer"),
        ({"by": "anna", "decision": "approve", "digest": "other"}, Conflict, "other arguments"),
        ({"by": "anna", "decision": "approve", "assurance": "sms"}, NotAllowed, "high risk"),
        ({"by": "anna", "decision": "deny"}, InvalidAnswer, "needs a comment"),
        ({"by": "anna", "decision": "it_ran"}, InvalidAnswer, "awaits approve or deny or edit"),
        ({"by": "anna", "decision": "edit", "changes": {"to": 7}}, InvalidAnswer, "to: Input"),
    ],
)
async def test_an_answer_that_may_not_be_given_changes_nothing(app, paid, answer, error, words):
    await waiting(app)

    with pytest.raises(error, match=words):
        await app.answer("t.s1.1", **answer)

    await settle(app)
    assert (list(state(app).open_contacts), status(app), paid) == (["s1.1"], "waiting", [])
    assert len(events(app, "answer_refused")) == (error is not InvalidAnswer)


async def test_a_contact_that_does_not_exist_is_unknown(app):
    await waiting(app)
    for name in ("t.s9.1", "t", "s1.1", ".s1.1"):
        with pytest.raises((UnknownContact, UnknownThread)):
            await app.answer(name, "approve", by="anna")


async def test_an_answer_meets_the_agent_that_was_removed(store, app):
    await waiting(app)
    without = App([Agent("other", lambda *_: Wait(), Steps, owner="olga")], store=store)

    with pytest.raises(UnknownAgent):
        await without.answer("t.s1.1", "approve", by="anna")

    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert status(app) == "finished"


async def test_an_edit_runs_the_edited_step(app, paid):
    await waiting(app)
    await app.answer("t.s1.1", "edit", by="anna", changes={"to": "y"})
    await settle(app)

    assert (paid, status(app)) == (["y"], "finished")


async def test_two_of_two_must_agree(store, paid):
    app = app_of(paying(paid, by=Policy(("anna", "bob"), needed=2)), store)
    await waiting(app)
    await app.answer("t.s1.1", "approve", by="anna")
    with pytest.raises(Conflict, match="anna has already answered"):
        await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert (paid, status(app)) == ([], "waiting")

    await app.answer("t.s1.1", "approve", by="bob")
    await settle(app)
    assert (paid, status(app)) == (["x"], "finished")


@pytest.mark.parametrize("loser", ["anna", "bob"])
async def test_the_loser_of_two_answers_in_one_instant_is_told(store, app, paid, loser):
    """Both were judged on the same log: the second commit finds the first."""
    await waiting(app)

    async def first() -> None:
        if state(app).open_contacts:
            await app.answer("t.s1.1", "approve", by="anna")

    late = app_of(paying(paid), Meddled(store, "contact_answered", first))
    with pytest.raises(Conflict, match="already approved by anna"):
        await late.answer("t.s1.1", "deny", by=loser, comment="no")

    await settle(app)
    assert (paid, len(events(app, "contact_answered"))) == (["x"], 1)


async def test_a_verb_gives_up_on_a_thread_that_never_holds_still(store, app):
    await waiting(app)

    async def again() -> None:
        await app.send("t", "and another thing")

    restless = app_of(paying([]), Meddled(store, "contact_answered", again))
    with pytest.raises(Conflict, match="changes faster"):
        await restless.answer("t.s1.1", "approve", by="anna")

    assert len(events(app, "message_received")) == 1 + STALE_TRIES_MAX
    assert list(state(app).open_contacts) == ["s1.1"]


async def test_refusals_are_recorded_up_to_a_limit(app):
    await waiting(app)
    for _ in range(25):
        with pytest.raises(NotAllowed):
            await app.answer("t.s1.1", "approve", by="eve")

    assert len(events(app, "answer_refused")) == 20


# Pause, resume, retry, cancel


async def test_verbs_that_would_change_nothing_are_refused(app):
    await waiting(app)
    for verb, words in ((app.resume, "is not paused"), (app.retry, "has not failed")):
        with pytest.raises(Conflict, match=words):
            await verb("t")
    await app.pause("t", by="anna")
    with pytest.raises(Conflict, match="is paused already"):
        await app.pause("t")
    await app.cancel("t", by="anna", reason="enough")
    for verb in (app.pause, app.cancel):
        with pytest.raises(Conflict, match="is cancelled already"):
            await verb("t")
    for verb in (app.send, app.signal):
        with pytest.raises(Conflict, match="was cancelled"):
            await verb("t", "hello")
    with pytest.raises(Conflict, match="was already cancelled"):
        await app.answer("t.s1.1", "approve", by="anna")
    assert status(app) == "cancelled"


async def test_a_failed_thread_wants_a_retry_not_a_resume(store):
    app = app_of(Agent("crew", lambda *_: 1 / 0, Steps, owner="olga"), store)  # pyright: ignore
    await waiting(app)

    with pytest.raises(Conflict, match=r"failed: ZeroDivisionError.* Use retry"):
        await app.resume("t")
    await app.retry("t")
    assert events(app, "resumed")[0].data == {"by": "api", "retry": True}


async def test_cancelling_closes_contacts_timers_and_children(store):
    def parent(chosen: Any) -> Any:
        if isinstance(chosen.step, Errand):
            return Delegate(chosen.step, "child", chosen.step.task)
        return Ask(chosen.step, "Which?", to="anna", within=timedelta(hours=1))

    child = pipeline(Question(), carry_out=parent, name="child")
    app = app_of([pipeline(Errand(), Question(), carry_out=parent), child], store)
    await waiting(app)
    assert len(app.inbox()) == 2

    await app.cancel("t", by="olga", reason="enough")
    await settle(app)

    assert (status(app), status(app, "t.s1")) == ("cancelled", "cancelled")
    assert (app.inbox(), store.next_due(), store.woken()) == ([], None, [])
    closed = events(app, "contact_closed", "t.s1")[0].data
    assert (closed["outcome"], closed["comment"]) == (
        "cancelled",
        "the thread was cancelled by olga",
    )


@pytest.mark.parametrize("died_after", [1, 2])
async def test_what_a_death_left_of_a_family_is_cancelled_by_the_next_call(store, died_after):
    def to(name: str) -> Any:
        return lambda chosen: Delegate(chosen.step, name, "x")

    grandchild = pipeline(Question(), carry_out=asking, name="grandchild")
    child = pipeline(Errand(), carry_out=to("grandchild"), name="child")
    app = app_of([pipeline(Errand(), carry_out=to("child")), child, grandchild], store)
    await waiting(app)
    left = [None] * died_after

    async def dies() -> None:
        if not left:
            raise StoreUnavailable("the process died")
        left.pop()

    app.use_store(Meddled(store, "cancelled", dies))
    with pytest.raises(StoreUnavailable):
        await app.cancel("t")
    app.use_store(store)
    assert status(app, "t.s1.s1") == "waiting"

    await app.cancel("t")
    assert {status(app, name) for name in ("t", "t.s1", "t.s1.s1")} == {"cancelled"}
    with pytest.raises(Conflict, match="is cancelled already"):
        await app.cancel("t")


async def test_cancelling_leaves_alone_the_children_that_ended_or_belong_to_others(store):
    errand = lambda chosen: Delegate(chosen.step, "child", "x")  # noqa: E731
    child = pipeline(Question(), carry_out=asking, name="child")
    app = app_of([pipeline(Errand(), Errand(), carry_out=errand), child], store)
    await waiting(app)
    fork = await app.fork("t")
    await app.cancel("t.s1")
    await app.cancel(fork)
    assert (status(app), status(app, "t.s2")) == ("waiting", "waiting")

    await app.cancel("t")
    assert [status(app, name) for name in ("t.s1", "t.s2")] == ["cancelled", "cancelled"]
    assert len(events(app, "cancelled", "t.s1")) == 1


# Fork


async def test_a_fork_before_a_denial_asks_anew_and_leaves_the_original(app, paid):
    await waiting(app)
    asked = app.thread("t").head
    await app.answer("t.s1.1", "deny", by="anna", comment="no")
    await settle(app)
    before = app.thread("t")

    fork = await app.fork("t", asked)
    await settle(app)
    assert [(row.ref.id, row.id) for row in app.inbox()] == [(fork, "s1.2")]
    with pytest.raises(Conflict, match="already voided"):
        await app.answer(f"{fork}.s1.1", "approve", by="anna")
    await app.answer(f"{fork}.s1.2", "approve", by="anna")
    await settle(app)

    assert (paid, status(app, fork)) == (["x"], "finished")
    assert app.thread("t") == before


async def test_a_fork_gets_the_name_it_is_given_unless_it_is_taken(app):
    await waiting(app)
    assert await app.fork("t", 1, new_id="copy") == "copy"
    assert types(app, "copy") == ["message_received", "forked"]

    with pytest.raises(Conflict, match="copy is another thread already"):
        await app.fork("t", new_id="copy")
    with pytest.raises(Conflict, match="events 1 to 3, not 9"):
        await app.fork("t", 9)
    assert types(app, "copy") == ["message_received", "forked"]


async def test_a_run_under_way_cannot_be_forked(store):
    gate = Gate()
    app = app_of(pipeline(Look(), carry_out=ran_by(gate)), store)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(settle(app))
    await gate.has_begun()

    with pytest.raises(Conflict, match="lies inside the run of s1"):
        await app.fork("t")
    gate.let_go.set()
    await running


# Follow and wait


async def test_follow_yields_every_event_once_and_goes_on(app):
    await waiting(app)
    followed = []

    async def follow() -> None:
        async for event in app.follow("t", after=1):
            followed.append(event.type)
            if event.type == "finished":
                return

    following = asyncio.create_task(follow())
    await app.answer("t.s1.1", "deny", by="anna", comment="no")
    await settle(app)
    await following

    assert followed == types(app)[1:]


async def test_wait_returns_when_the_thread_no_longer_runs(app):
    await app.launch("crew", "go", thread_id="t")
    with pytest.raises(TimeoutError):
        await app.wait("t", timeout_s=0.01)

    running = asyncio.create_task(app.run())
    assert await app.wait("t") == "waiting"
    await ended(running)
    assert await app.wait("t", timeout_s=0) == "waiting"


# Names


async def test_a_thread_is_found_by_any_unique_ending_or_as_the_last(store, app):
    with pytest.raises(UnknownThread, match="no thread yet"):
        find_thread(store, "@last")
    for name in ("aaa111", "bbb111", "bbb222"):
        await app.launch("crew", "go", thread_id=name)

    assert [find_thread(store, name) for name in ("aaa111", "a111", "222", "@last")] == [
        "aaa111",
        "aaa111",
        "bbb222",
        "bbb222",
    ]
    with pytest.raises(Conflict, match="'111' fits bbb111, aaa111"):
        find_thread(store, "111")
    with pytest.raises(UnknownThread, match="No thread ends in 'xyz'"):
        find_thread(store, "xyz")
    with pytest.raises(UnknownThread):
        find_thread(store, "a111", tenant="acme")


async def test_a_contact_is_found_by_its_ending_or_as_the_only_one(store):
    app = app_of(pipeline(Question(), Question(), carry_out=asking), store)
    await waiting(app, "k3f9q2")

    assert find_contact(store, "q2.s2.1") == ("k3f9q2", "s2.1")
    for name in ("@last", "q2"):
        with pytest.raises(Conflict, match=r"name one of k3f9q2\.s1\.1, k3f9q2\.s2\.1"):
            find_contact(store, name)
    await app.answer("k3f9q2.s1.1", "answer", by="anna", value="left")
    assert find_contact(store, "@last") == find_contact(store, "q2") == ("k3f9q2", "s2.1")
    await app.answer("k3f9q2.s2.1", "answer", by="anna", value="left")
    with pytest.raises(UnknownContact, match="k3f9q2 waits for no answer"):
        find_contact(store, "q2")


async def test_a_child_is_found_by_the_step_that_launched_it(store):
    errand = lambda chosen: Delegate(chosen.step, "child", "x")  # noqa: E731
    child = pipeline(Question(), carry_out=asking, name="child")
    app = app_of([pipeline(Errand(), carry_out=errand), child], store)
    await waiting(app, "k3f9q2")

    assert find_contact(store, "q2.s1") == ("k3f9q2.s1", "s1.1")
    assert find_contact(store, "q2.s1.s1.1") == ("k3f9q2.s1", "s1.1")
    assert (short("0123456789"), short("0123456789.s1.s2")) == ("456789", "456789.s1.s2")


@pytest.mark.parametrize("name", ["", "t", "s1.1", ".s1.1", "t.s"])
def test_a_text_that_is_no_contact_says_how_they_look(name):
    with pytest.raises(UnknownContact, match=r"look like k3f9q2\.s4\.1"):
        split_contact(name)


# Composition


def test_a_store_is_opened_when_it_is_first_used(tmp_path):
    path = tmp_path / "new" / "threads.db"
    app = App([paying([])], store=path)
    app.close()
    assert not path.exists()

    assert app.threads() == []
    assert path.exists()
    app.close()
    app.use_store(f"sqlite:///{path}")
    assert app.inbox() == []
    app.close()


def test_an_app_that_names_no_store_leaves_the_choice_to_others(tmp_path):
    assert App([paying([])]).leaves_store_open
    assert not App([paying([])], store=tmp_path / "threads.db").leaves_store_open


def test_an_app_that_names_no_store_writes_where_the_environment_says(tmp_path, monkeypatch):
    said = tmp_path / "said.db"
    monkeypatch.setenv("TWELVEFOLD_STORE", f"sqlite:///{said}")
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "procrastinate")

    quiet, explicit = App([paying([])]), App([paying([])], store=tmp_path / "mine.db")

    assert (quiet.store_name, quiet.engine) == (f"sqlite:///{said}", "procrastinate")
    assert (explicit.store_name, explicit.engine) == (str(tmp_path / "mine.db"), "embedded")
    assert App([paying([])], engine="embedded").engine == "embedded"
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "celery")
    with pytest.raises(ConfigurationError, match="TWELVEFOLD_ENGINE='celery' is none of embedded"):
        App([paying([])])
    monkeypatch.delenv("TWELVEFOLD_STORE")
    assert App([paying([])]).store_name == ".twelvefold/threads.db"


async def test_a_state_needs_its_agent(store, app):
    await waiting(app)
    thread = app.thread("t")
    assert app.state(thread).waiting

    with pytest.raises(UnknownAgent, match="it has: none"):
        App([], store=store).state(thread)


# Without an event loop


def test_the_verbs_of_sync_app_write_what_those_of_app_write(tmp_path):
    logs = []
    for kind, sync in (("memory", False), ("memory", True), ("sqlite", False), ("sqlite", True)):
        folder = tmp_path / f"{kind}{sync}"
        folder.mkdir()
        store = store_of(kind, folder)
        app = app_of(paying([]), store, clock=Clock())
        every_verb(app, SyncApp(app) if sync else Awaited(app))
        logs.append([app.thread(name).to_jsonl() for name in ("t", "f", "c")])
        store.close()

    assert [log == logs[0] for log in logs] == [True] * 4
    assert "answer_refused" in logs[0][0]


class Awaited:
    """The verbs of an `App`, each run to its end."""

    def __init__(self, app: App) -> None:
        self.app = app

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: asyncio.run(getattr(self.app, name)(*args, **kwargs))


def every_verb(app: App, verb: Any) -> None:
    verb.launch("crew", "pay x", thread_id="t")
    asyncio.run(app.run(until_idle=True))
    verb.send("t", "hello", key="d1")
    verb.signal("t", "merged", {"sha": "4af9ec0"})
    verb.pause("t")
    verb.resume("t")
    verb.fork("t", new_id="f")
    with pytest.raises(NotAllowed):
        verb.answer("t.s1.1", "approve", by="eve")
    verb.answer("t.s1.1", "deny", by="anna", comment="no")
    asyncio.run(app.run(until_idle=True))
    verb.launch("crew", "more", thread_id="c")
    verb.cancel("c", by="anna")
    with pytest.raises(Conflict):
        verb.retry("c")


def test_sync_verbs_work_from_any_thread_and_inside_an_event_loop(tmp_path):
    store = store_of("sqlite", tmp_path)
    verb = SyncApp(app_of(paying([]), store))

    async def inside() -> str:
        return await asyncio.to_thread(verb.launch, "crew", "a") + verb.launch("crew", "b")

    asyncio.run(inside())
    assert len(verb.app.threads()) == 2
    store.close()


def test_a_sync_verb_that_would_have_to_wait_says_so():
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waited for something other than its commit"):
        _ended(waits())


# The verbs as data


def test_a_verb_is_a_function_from_a_log_to_appends():
    change = verbs.launch("crew", {"text": "go"}, thread_id="t", now=START)

    [append] = change.appends
    assert (append.thread_id, append.wake, append.expect) == ("t", True, None)
    assert [(draft.type, draft.key) for draft in append.drafts] == [("message_received", "launch")]
    assert to_text(append.drafts[0].data) == '{"text":"go"}'
