"""What a caller asked for is not there, not allowed, or changes nothing."""

from collections.abc import Mapping

from twelvefold.exceptions.root import TwelvefoldError


class NotFound(TwelvefoldError):
    """Nothing here has this name. List what exists, or check the store you opened."""


class UnknownThread(NotFound):
    """The store holds no such thread. `twelvefold threads list` shows those it holds."""


class UnknownContact(NotFound):
    """The thread holds no such contact. `twelvefold inbox` shows those that are open."""


class UnknownKey(NotFound):
    """The store holds no such key. `twelvefold keys list` shows those it holds."""


class UnknownSource(NotFound):
    """Nothing is received under this name. Pass its channel to `App(channels=[...])`."""


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


class AskedAnew(Conflict):
    """What was asked has changed, so the thread was woken to ask it anew. Nothing was done: answer
    what it asks then."""


class Moved(Conflict):
    """What was shown is no longer what is there. Nothing was done: read it again, then decide."""


class InFlight(Conflict):
    """The same request is still being worked on. Ask again in a moment, with the same key."""


class AlreadyThere(Conflict):
    """A file of this name is there and says something else. Look with `--diff`, then give
    `--overwrite` or another name; nothing was written."""


class NotAllowed(TwelvefoldError):
    """This person may not decide this here. Ask those named, or use what proves more."""


class NotSignedIn(TwelvefoldError):
    """Nobody who is known here. Send a key as `Authorization: Bearer <key>`, or sign in."""


class BadSignature(NotSignedIn):
    """Not signed by whom it says it is from, or too long ago. Check the secret and the clock."""


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


class InvalidRequest(TwelvefoldError):
    """Not of the described shape: `errors` says what is wrong, by field. Nothing was done."""

    def __init__(self, message: str, *, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors or {})


class InvalidAnswer(InvalidRequest):
    """The contact awaits another kind of answer: the message says which. Nothing was saved."""


class KeyReused(InvalidRequest):
    """An `Idempotency-Key` came with another request before. Give each request a key of its own;
    nothing was done."""
