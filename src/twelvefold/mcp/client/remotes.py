"""What the user says of a server: where it is, which of its tools may be offered, and how.

Nothing here comes from the server, and nothing of it can be widened by one.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from twelvefold.exceptions import ConfigurationError
from twelvefold.guard import Rules, read_url
from twelvefold.policy import RISKS, Risk
from twelvefold.secrets import SecretRef
from twelvefold.thread import Json

MESSAGE_BYTES_MAX = 16_000_000
"""Of one message of a server. A larger one ends the connection: what it held is not read."""
CALL_TIMEOUT_S = 120.0
_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*")
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_LOCAL = ("127.0.0.0/8", "::1/128")

Protocol = Literal["auto", "2025-11-25", "2026-07-28"]


class _CallKey:
    """Stands for `call.key`."""

    def __repr__(self) -> str:
        return "CALL_KEY"


CALL_KEY: Final = _CallKey()
"""`fill={"idempotency_key": CALL_KEY}`: the argument of a tool that takes the key of the effect."""

Fill = Json | SecretRef | _CallKey
Secret = Callable[[SecretRef], str]


@dataclass(frozen=True, slots=True)
class Question:
    """What a server asks while a tool runs. `schema` says what an answer may look like. `tool` is
    None while several run, of which it may be any."""

    server: str
    tool: str | None
    message: str
    schema: Mapping[str, Json]


Answers = Callable[[Question], Awaitable[Mapping[str, Json] | None]]
"""The answer of a question; None declines it. Fields left out get the defaults of its schema."""


@dataclass(frozen=True, slots=True)
class Stdio:
    """A program that is started, and spoken to through its stdin and stdout.

    Of the environment it gets `PATH`, `HOME` and the like, and `env`; a `SecretRef` in it is read
    when the program is started.
    """

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str | SecretRef] = field(default_factory=dict[str, "str | SecretRef"])
    cwd: str | Path | None = None

    @property
    def secrets(self) -> Mapping[str, SecretRef]:
        return _secrets_of(self.env)


@dataclass(frozen=True, slots=True)
class Http:
    """A server at a URL (streamable HTTP).

    - `headers`: a `SecretRef` in them is read at each connection.
    - `auth`: what signs its requests, such as `OAuthClientProvider` of the SDK; a function of the
      tenant where tenants have credentials of their own.
    - `rules`: where requests may go, those of `auth` included. None: to public hosts by https, at
      the port of the URL or 443; to this machine alone where the URL names it.
    """

    url: str
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict[str, "str | SecretRef"])
    auth: Any = None
    rules: Rules | None = None

    def __post_init__(self) -> None:
        read_url(self.url, self.let_through)

    @property
    def secrets(self) -> Mapping[str, SecretRef]:
        return _secrets_of(self.headers)

    @property
    def let_through(self) -> Rules:
        if self.rules is not None:
            return self.rules
        any_port = Rules(frozenset({"http", "https"}), frozenset(range(1, 65536)))
        target = read_url(self.url, any_port)
        if target.host in _LOCAL_HOSTS:
            return Rules(frozenset({"http", "https"}), frozenset({target.port}), _LOCAL)
        return Rules(frozenset({"https"}), frozenset({443, target.port}))


@dataclass(frozen=True, slots=True)
class Allowed:
    """One tool that may be offered, by the name that the server gives it.

    - `risk`: what the user takes it for. What the server says of itself (`readOnlyHint`) counts for
      nothing.
    - `retry_safe`: the server honours `call.key`, so a call that was cut off may be made again.
    - `errors_are_final`: where the server answers with an error, it has done nothing.
    - `fill`: arguments that no model sees: constants, a `SecretRef`, or `CALL_KEY`.
    - `intent`: the name of the step where the one made of server and tool will not do.
    - `description`: what models read in place of the server's words.
    - `timeout_s`: of a run, with all its tries; `attempts` needs `retry_safe`.
    """

    tool: str
    _: KW_ONLY
    risk: Risk = "high"
    retry_safe: bool = False
    errors_are_final: bool = False
    fill: Mapping[str, Fill] = field(default_factory=dict[str, "Fill"])
    intent: str | None = None
    description: str | None = None
    timeout_s: float = CALL_TIMEOUT_S
    attempts: int = 1

    def __post_init__(self) -> None:
        if self.risk not in RISKS:
            raise ConfigurationError(
                f"Allowed({self.tool!r}): risk is one of {', '.join(RISKS)}, not {self.risk!r}."
            )
        if self.attempts > 1 and not self.retry_safe:
            raise ConfigurationError(
                f"Allowed({self.tool!r}): attempts={self.attempts} needs retry_safe=True: a call"
                " that was cut off may have had its effect."
            )


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server, under a name of the user's, and the tools of it that may be offered.

    - `allow`: names, or `Allowed` for what is not as usual. There is no "all".
    - `answers`: what is said to a server that asks while a tool runs; None: it may not ask.
    - `protocol`: a version of the protocol; "auto" takes the newest that both speak.
    """

    name: str
    at: Stdio | Http
    allow: Sequence[str | Allowed]
    _: KW_ONLY
    answers: Answers | None = None
    message_bytes_max: int = MESSAGE_BYTES_MAX
    protocol: Protocol = "auto"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"McpServer({self.name!r}): a name is a-z, 0-9 and single _ between them, so that"
                " the name of a step says without doubt whose tool it is."
            )
        names = [one.tool for one in self.allowed]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigurationError(f"{self.name}: {twice[0]!r} is allowed twice. Keep one.")

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        return tuple(Allowed(one) if isinstance(one, str) else one for one in self.allow)


def _secrets_of(values: Mapping[str, str | SecretRef]) -> dict[str, SecretRef]:
    return {name: value for name, value in values.items() if isinstance(value, SecretRef)}
