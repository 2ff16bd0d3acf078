"""Every exception that twelvefold raises, each with its remedy.

TwelvefoldError
├── NotFound                     exit 3: nothing here has this name
│   ├── UnknownThread
│   ├── UnknownContact
│   ├── UnknownKey
│   └── UnknownAttachment
├── Conflict                     exit 4: the verb or answer changes nothing, and says why
│   ├── AlreadyDecided
│   ├── Expired
│   ├── Moved
│   └── InFlight
├── NotAllowed                   exit 5: this person, on this channel, may not decide this
├── NotSignedIn                  a request over HTTP that proves nobody
├── NotPermitted                 a key or a person without the scope that this needs
├── TooManyRequests              asked, or guessed, too often
├── UrlRefused                   a URL that somebody gave leads where nothing is sent
├── Unreachable                  a server that gives the client no answer
├── InvalidAnswer                exit 2: the answer is not of the kind that is awaited
├── InvalidRequest               exit 2: a request over HTTP is not of the described shape
│   └── KeyReused
├── ConfigurationError           exit 6: the application file, an agent or a setting is wrong
│   ├── UnknownAgent
│   ├── NotRecorded
│   ├── InvalidSteps
│   ├── BudgetTooSmall
│   ├── NotMigrated
│   ├── SchemaRefused
│   └── UnusableModel
├── WrongDecision                decide returned something that cannot begin: the thread parks
│   ├── NotReady
│   ├── RiskWall
│   └── DecideNeverWaits
├── NewerEvent                   the log holds what a newer twelvefold wrote: the thread parks
├── InvalidFile                  exit 2: not one whole exported thread, or an edit that may not be
├── InvalidCase                  exit 2: a `*.cases.yaml` is wrong
├── Unstorable                   JSON cannot hold this value exactly
├── BadAttachment                what a tool attached cannot be kept
├── ModelFailed                  a model call brought no reply
├── StepRefused                  a model's reply is not one step of the union
├── NotRendered                  a text is not what `context.render` wrote
├── PromptError                  a prompt file or its variables are wrong
├── NothingHappened              raised by tools: the effect did certainly not take place
└── StoreError                   exit 6
    ├── Stale                    the log grew since this was decided
    ├── Fenced                   a newer advance owns this thread
    ├── StoreFull
    ├── StoreUnavailable
    ├── StoreCorrupt
    └── StoreVersion
"""

from collections.abc import Mapping
from typing import Any


class TwelvefoldError(Exception):
    """Catch this to catch everything that twelvefold raises."""


class NotFound(TwelvefoldError):
    """Nothing here has this name. List what exists, or check the store you opened."""


class UnknownThread(NotFound):
    """The store holds no such thread. `twelvefold threads list` shows those it holds."""


class UnknownContact(NotFound):
    """The thread holds no such contact. `twelvefold inbox` shows those that are open."""


class UnknownKey(NotFound):
    """The store holds no such key. `twelvefold keys list` shows those it holds."""


class UnknownAttachment(NotFound):
    """The thread names no such attachment, or its bytes are not in this store. `twelvefold threads
    show` lists those it names."""


class Conflict(TwelvefoldError):
    """Nothing was done: the thread or contact is not what was assumed. The message says why."""


class AlreadyDecided(Conflict):
    """The contact has ended: the fields say how, by whom, when and where. Nothing was done."""

    def __init__(
        self, message: str, *, outcome: str = "", by: str = "", at: str = "", channel: str = ""
    ) -> None:
        super().__init__(message)
        self.outcome, self.by, self.at, self.channel = outcome, by, at, channel


class Expired(AlreadyDecided):
    """The time to answer is over, and silence was a no. Nothing was done; ask for it anew."""


class Moved(Conflict):
    """What was shown is no longer what is there. Nothing was done: read it again, then decide."""


class InFlight(Conflict):
    """The same request is still being worked on. Ask again in a moment, with the same key."""


class NotAllowed(TwelvefoldError):
    """This person may not decide this here. Ask those named, or use what proves more."""


class NotSignedIn(TwelvefoldError):
    """Nobody who is known here. Send a key as `Authorization: Bearer <key>`, or sign in."""


class NotPermitted(TwelvefoldError):
    """Known, but not allowed to do this. Use a key that has the scope which the message names."""


class TooManyRequests(TwelvefoldError):
    """Too many requests, or refused tries, from there. Wait for `retry_after_s`, then go on."""

    retry_after_s: int = 60


class Unreachable(TwelvefoldError):
    """The server gave no answer, after every try, or what answered is none of ours. Look at its URL
    and its log; the same call with the same `key` is done once."""


class UrlRefused(TwelvefoldError):
    """Nothing is sent to this URL: the message says why. Give an https one of a public host."""


class InvalidAnswer(TwelvefoldError):
    """The contact awaits another kind of answer. The message says which; `errors` says what is
    wrong, by field. Nothing was saved."""

    def __init__(self, message: str, *, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors or {})


class InvalidRequest(TwelvefoldError):
    """A request over HTTP is not of the described shape; `errors` says what is wrong, by field.
    Nothing was done: correct it."""

    def __init__(self, message: str, *, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors or {})


class KeyReused(InvalidRequest):
    """An `Idempotency-Key` came with another request before. Give each request a key of its own;
    nothing was done."""


class ConfigurationError(TwelvefoldError):
    """The application, an agent or a setting is wrong. The message names the line to change."""


class UnknownAgent(ConfigurationError):
    """The application has no such agent. Add it to `App(agents=...)`; the thread waits."""


class NotRecorded(ConfigurationError):
    """No recorded reply to this request. The message shows what differs: record anew, or undo."""


class InvalidSteps(ConfigurationError):
    """A union of steps breaks a rule. Rename the intent, or give it a literal with a default."""


class UnusableModel(ConfigurationError):
    """A vendor does not serve this application: no package, no key, no such model, no credit. Do
    what the message says, then `twelvefold retry` the thread."""


class SchemaRefused(ConfigurationError):
    """A type or a schema cannot be said to this provider, or not be checked. The message names the
    field and the rule: change the field, or use `mode="tool"` or `mode="prompt"`."""


class BudgetTooSmall(ConfigurationError):
    """What always stays in a context exceeds its tokens. Raise `tokens_max`, or shorten events."""


class NotMigrated(ConfigurationError):
    """The database has no schema yet, or an older one. Run `twelvefold db migrate` once."""


class WrongDecision(TwelvefoldError):
    """`decide` returned what cannot begin. Correct `decide`, then `twelvefold retry` the thread."""


class NotReady(WrongDecision):
    """An effect names a step that is not ready here. Pass the very object from `state.ready`."""


class RiskWall(WrongDecision):
    """A risky step would run unapproved: return `Approve(step, ...)` or `run(ungated="why")`."""


class DecideNeverWaits(WrongDecision):
    """`decide` made too many decisions, none that waits. Look for a step that is never settled."""


class NewerEvent(TwelvefoldError):
    """A newer twelvefold wrote in this thread. Upgrade this one, then `twelvefold retry` it."""


class InvalidFile(TwelvefoldError):
    """A file is not one whole exported thread, or changes what may not be changed. Correct the
    line that the message names, or export the thread again."""


class InvalidCase(TwelvefoldError):
    """A file of cases is wrong, or a fact cannot happen there. Correct the line that it names."""


class Unstorable(TwelvefoldError):
    """JSON cannot hold this value exactly. Return text, numbers, lists and maps with text keys."""


class BadAttachment(TwelvefoldError):
    """No bytes, no file, no media type, or too large. The message says which; nothing was kept."""


class StepRefused(TwelvefoldError):
    """A model's reply is not one step of the union. `reason` is a word, `detail` for the model."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ModelFailed(TwelvefoldError):
    """A model call brought no reply, after every try it had: a counted event. Try again later, or
    put a second model behind it with `fallback`.

    `reason` is one word (`rate_limited`, `unavailable`, `timeout`, `bad_request`, ...). `passes`:
    the same call may succeed a little later. `attempts` are `messages.Attempt`.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        attempts: tuple[Any, ...] = (),
        status: int | None = None,
        passes: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.attempts = reason, detail, attempts
        self.status, self.passes, self.retry_after_s = status, passes, retry_after_s


class NotRendered(TwelvefoldError):
    """`context.render` did not write this. Pass its text whole, and none of another renderer."""


class PromptError(TwelvefoldError):
    """A prompt file or one of its variables is wrong. The message names the file and line."""


class NothingHappened(TwelvefoldError):
    """Raise this in a tool whose effect did certainly not take place: it may be chosen again."""


class StoreError(TwelvefoldError):
    """The store refused or failed. What was acknowledged before is kept."""


class Stale(StoreError):
    """The log grew since this was decided. Load the tail and decide again."""


class Fenced(StoreError):
    """A newer advance owns this thread. Stop; it goes on there."""


class StoreFull(StoreError):
    """The disk or database is full. Make room, then run it again; nothing acknowledged was lost."""


class StoreUnavailable(StoreError):
    """The store did not answer (locked, unreachable, read-only). Try again when `retryable`; retry
    by key, never assume."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class StoreCorrupt(StoreError):
    """The file is no readable twelvefold log. Restore the newest backup; it was left as it is."""


class StoreVersion(StoreError):
    """A newer twelvefold wrote the database. Upgrade this installation; nothing was changed."""
