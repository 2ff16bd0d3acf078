"""Who makes a request, and what they may do."""

from dataclasses import dataclass
from typing import Literal, get_args

from twelvefold.exceptions import NotPermitted
from twelvefold.thread import DEFAULT_TENANT

Scope = Literal["threads:read", "threads:write", "contacts:read", "contacts:answer", "admin"]

SCOPES: frozenset[Scope] = frozenset(get_args(Scope))


@dataclass(frozen=True, slots=True)
class Principal:
    """One tenant's person or machine. Everything a request reads or changes is in its `tenant`.

    - `name`: what events say of who did it: the person, or `key:<id>`.
    - `person`: who decides contacts; None for a machine, which decides none.
    - `assurance`: how the person was proven; `App(settles=...)` says what that may decide.
    - `ambient`: a browser proves this by itself, also for a form of somebody else's page; so what
      changes anything has to prove that it comes from one of ours (`access/forgery.py`).
    - `visit`: the sign-in that a cookie carries; empty without one.
    """

    name: str
    person: str | None = None
    tenant: str = DEFAULT_TENANT
    scopes: frozenset[Scope] = SCOPES
    assurance: str = "signed_in"
    ambient: bool = True
    visit: str = ""

    def needs(self, scope: Scope) -> None:
        """Raises `NotPermitted` without this scope."""
        if scope not in self.scopes:
            raise NotPermitted(f"{self.name} has no scope {scope!r}. Ask for a key that has it.")


def scopes_of(names: frozenset[str]) -> frozenset[Scope]:
    """Those that this version knows: what a newer one gave opens nothing here."""
    return frozenset(scope for scope in SCOPES if scope in names)
