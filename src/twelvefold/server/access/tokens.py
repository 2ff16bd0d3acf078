"""Links to sign in by, used once: what `twelvefold dev` prints.

The token is a row beside the keys, so that it is spent once among all processes, and also when the
server was started anew in between.
"""

import getpass
import secrets
from datetime import UTC, datetime, timedelta

from anyio.to_thread import run_sync

from twelvefold.exceptions import NotSignedIn
from twelvefold.keys import CHANCE_BYTES, Key, Keyring, id_of, new_key, proven
from twelvefold.server.access.around import Around
from twelvefold.thread import DEFAULT_TENANT

TOKEN_TTL = timedelta(minutes=15)
PATH = "/sign-in"
PARAMETER = "token"


def one_time_path(
    store: Keyring,
    *,
    person: str | None = None,
    tenant: str = DEFAULT_TENANT,
    ttl: timedelta = TOKEN_TTL,
    now: datetime | None = None,
) -> str:
    """`/sign-in?token=...`, to be put behind the address of the server; for whoever runs this."""
    now = now or datetime.now(UTC)
    store.sweep_keys(now - TOKEN_TTL)
    key, token = new_key(
        "sign in once",
        chance=secrets.token_bytes(CHANCE_BYTES),
        now=now,
        scopes=(),
        tenant=tenant,
        person=person or getpass.getuser(),
        expires_at=now + ttl,
        once=True,
    )
    store.add_key(key)
    return f"{PATH}?{PARAMETER}={token}"


async def spent(token: str, here: Around) -> Key:
    """Whom a token is for; it is used up by this. Raises `NotSignedIn`, which says what to do."""
    id, now = id_of(token), here.now()
    found = await run_sync(here.app.store.key, id) if id is not None else None
    try:
        key = proven(found, token, now=now, once=True)
    except NotSignedIn as error:
        raise _useless(found) from error
    if not await run_sync(here.app.store.revoke_key, key.id, now):
        raise _useless(key)
    return key


def _useless(found: Key | None) -> NotSignedIn:
    why = "is not one of this server" if found is None else "was used before, or is over"
    return NotSignedIn(
        f"This link {why}: each one signs in once, within {TOKEN_TTL.seconds // 60} minutes. Start"
        " `twelvefold dev` again, and open the link it prints."
    )
