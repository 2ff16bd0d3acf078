"""What a client's person may be asked, and what becomes of their answers.

A client says that a person filled in a form; nothing proves it. So an answer counts as `mcp`, which
settles low risk unless `App(settles=...)` says more, and only of a principal who is a person with
the scope `contacts:answer`, for contacts that this person is asked. What else a thread waits for is
told in words and decided elsewhere. The key of a request names what was shown: an answer to
anything that has changed or ended names nothing any more, and does nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from twelvefold.app import App
from twelvefold.app.families import family_of
from twelvefold.contacts.refusing import not_asked, over, too_weak
from twelvefold.exceptions import (
    AlreadyDecided,
    ConfigurationError,
    Conflict,
    InvalidAnswer,
    UnknownAgent,
)
from twelvefold.mcp.forms import form_of, key_of, said_in
from twelvefold.mcp.tasks import CHANNEL
from twelvefold.notices import as_lines, notice_of, visible
from twelvefold.server.principal import Principal
from twelvefold.state import Contact, State
from twelvefold.store import ContactRow, Ref
from twelvefold.thread import Json, Thread

ASSURANCE = "mcp"
"""A form of a client, filled in by whoever."""
ASKED_MAX = 20
"""So many contacts are asked at once."""

Action = Literal["accept", "decline", "cancel"]
DECLINED = "declined in a form of an MCP client"


@dataclass(frozen=True, slots=True)
class Asked:
    """One contact that this person may answer by a form."""

    thread: Thread
    contact: Contact

    @property
    def name(self) -> str:
        return f"{self.thread.id}.{self.contact.id}"

    @property
    def key(self) -> str:
        return key_of(self.thread, self.contact)

    def request(self, app: App) -> dict[str, Json]:
        """The form, as a request of the protocol."""
        return elicitation(self.text(app), form_of(self.contact))

    def text(self, app: App) -> str:
        """What a person reads, made from the stored arguments; nothing in it can hide."""
        contact, ref = self.contact, Ref(self.thread.tenant, self.thread.id)
        row = ContactRow(ref, self.thread.agent, contact.id, contact.asked_at, contact.data)
        return "\n".join(as_lines(notice_of(row, self.thread), now=app.clock()))


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for one request."""

    action: Action
    content: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Settled:
    """How many answers counted, and how many questions somebody would not answer."""

    counted: int
    withheld: int


def elicitation(message: str, schema: Mapping[str, Json]) -> dict[str, Json]:
    params = {"mode": "form", "message": message, "requestedSchema": dict(schema)}
    return {"method": "elicitation/create", "params": params}


def asked_of(app: App, thread_id: str, who: Principal) -> list[Asked]:
    """What this person may answer, of a thread and those it launched."""
    return waiting(app, thread_id, who)[0]


def waiting(app: App, thread_id: str, who: Principal) -> tuple[list[Asked], list[Asked]]:
    """What this person may answer by a form, and what is decided elsewhere."""
    found = list(_open(app, thread_id, who))
    mine = [one for one in found if _may(app, one, who)][:ASKED_MAX]
    return mine, [one for one in found if one not in mine]


def told(waits: Iterable[Asked]) -> list[str]:
    """Who is waited for, in words."""
    return [f"{one.name} waits for {visible(str(one.contact.policy))}" for one in waits]


def _open(app: App, thread_id: str, who: Principal) -> Iterator[Asked]:
    for thread in family_of(app.store, thread_id, tenant=who.tenant):
        for contact in _state(app, thread).open_contacts.values():
            yield Asked(thread, contact)


def _state(app: App, thread: Thread) -> State[Any]:
    try:
        return app.state(thread)
    except UnknownAgent:  # its code is gone: people may still look, and nobody decides
        return State(thread)


def _may(app: App, one: Asked, who: Principal) -> bool:
    """Whether an answer would count, by the same judgement that an answer gets."""
    state, contact = _state(app, one.thread), one.contact
    if who.person is None or "contacts:answer" not in who.scopes:
        return False
    if contact.kind not in ("approval", "question"):
        return False
    try:
        directory = app.directory(tenant=who.tenant)
    except ConfigurationError:
        return False
    person = directory.person(who.person)
    return (
        over(state, contact, now=app.clock(), digest=None) is None
        and not_asked(state, contact, person, directory) is None
        and too_weak(state, contact, app.settles, channel=CHANNEL, assurance=ASSURANCE) is None
        and all(vote.by != person for vote in contact.votes)
    )


def responses_of(given: object, keys: Iterable[str]) -> dict[str, Response]:
    """What a client sends for these keys; any other does nothing, whatever it holds.

    Raises `InvalidAnswer` before anything is done.
    """
    if not isinstance(given, dict):
        raise _malformed("inputResponses", "is an object")
    responses = cast("dict[str, Json]", given)
    return {key: _response(key, responses[key]) for key in keys if key in responses}


def _response(key: str, given: Json) -> Response:
    if not isinstance(given, dict):
        raise _malformed(key, "is an object with `action`")
    one = cast("dict[str, Json]", given)
    action, content = one.get("action"), one.get("content")
    if action not in ("accept", "decline", "cancel"):
        raise _malformed(key, "has an `action`: accept, decline or cancel")
    if content is not None and not isinstance(content, dict):
        raise _malformed(key, "has a `content` that is an object")
    return Response(action, cast("dict[str, Json]", content or {}))


def _malformed(what: str, should: str) -> InvalidAnswer:
    return InvalidAnswer(f"{visible(what)} {should}. Nothing was done.", errors={what: should})


async def settle(app: App, asked: Iterable[Asked], given: object, who: Principal) -> Settled:
    """Take answers to what is asked. All are read before the first one counts.

    Raises `InvalidAnswer` and `NotAllowed`.
    """
    by_key = {one.key: one for one in asked}
    responses = responses_of(given, by_key)
    said = {key: _said(by_key[key], one) for key, one in responses.items()}
    counted = 0
    for key, answer in said.items():
        if answer is not None and await _answered(app, by_key[key], answer, who):
            counted += 1
    return Settled(counted, sum(answer is None for answer in said.values()))


def _said(asked: Asked, response: Response) -> dict[str, Any] | None:
    """Whoever declines an approval says no; a question stays for others."""
    if response.action == "accept":
        said = said_in(asked.contact, response.content)
        return {"decision": said.decision, "value": said.value, "comment": said.comment}
    if response.action == "decline" and asked.contact.kind == "approval":
        return {"decision": "deny", "comment": DECLINED}
    return None


async def _answered(app: App, asked: Asked, said: Mapping[str, Any], who: Principal) -> bool:
    """Whether it counted: somebody may have been faster."""
    try:
        await app.answer(
            asked.name,
            **said,
            by=who.person or "",
            digest=asked.contact.digest,
            channel=CHANNEL,
            assurance=ASSURANCE,
            tenant=who.tenant,
        )
    except (AlreadyDecided, Conflict):
        return False
    return True
