"""What this engine needs of a store besides what every engine needs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import EmbeddedStore, Ref


class JobStore(EmbeddedStore, Protocol):
    """A store in a Postgres database, where the jobs can lie beside the log."""

    @property
    def url(self) -> str: ...

    def tell(self, hears: Callable[[Any, Sequence[Ref]], None]) -> None: ...

    def runner_lock(self, *, shared: bool = False) -> AbstractContextManager[bool]: ...


def unusable(store: Any) -> ConfigurationError | None:
    """Why this engine cannot work on `store`."""
    if hasattr(store, "url") and hasattr(store, "tell"):
        return None
    return ConfigurationError(
        f"the engine procrastinate needs a Postgres store, and this is {type(store).__name__}. Give"
        " postgresql://user@host:5432/database, or leave the engine out."
    )
