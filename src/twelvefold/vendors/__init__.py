"""What the models of all vendors share: tries within one deadline, outcomes, clients, the body."""

from twelvefold.schemas import NEXT_STEP
from twelvefold.vendors.bodies import (
    encoded,
    offered,
    sendable,
    spoken,
    wire,
    with_options,
)
from twelvefold.vendors.clients import NO_KEY, client_for, load
from twelvefold.vendors.failures import Answered, failure_of, unreachable
from twelvefold.vendors.replies import member, members, numbers, text_at
from twelvefold.vendors.settings import (
    Mode,
    checked_mode,
    checked_options,
    needed_key,
    no_key,
    tries_within,
    usable_key,
    usable_url,
)
from twelvefold.vendors.streams import OnPartial, Partial, gathered
from twelvefold.vendors.tries import TIMEOUT_S, TRIES_MAX, tried

__all__ = [
    "NEXT_STEP",
    "NO_KEY",
    "TIMEOUT_S",
    "TRIES_MAX",
    "Answered",
    "Mode",
    "OnPartial",
    "Partial",
    "checked_mode",
    "checked_options",
    "client_for",
    "encoded",
    "failure_of",
    "gathered",
    "load",
    "member",
    "members",
    "needed_key",
    "no_key",
    "numbers",
    "offered",
    "sendable",
    "spoken",
    "text_at",
    "tried",
    "tries_within",
    "unreachable",
    "usable_key",
    "usable_url",
    "wire",
    "with_options",
]
