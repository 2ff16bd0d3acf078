"""Keys: `Authorization: Bearer tf_<id>.<secret>`."""

from contextlib import suppress

from anyio.to_thread import run_sync
from fastapi import Request

from twelvefold.exceptions import NotSignedIn, StoreError
from twelvefold.keys import USED_EVERY, Key, id_of, proven
from twelvefold.server.access.around import Around, around
from twelvefold.server.principal import Principal, scopes_of

ASSURANCE = "key"


class Keys:
    """Whoever sends a key of this store. A request with any `Authorization` is decided here."""

    async def principal(self, request: Request) -> Principal | None:
        given = request.headers.getlist("authorization")
        if not given:
            return None
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            raise NotSignedIn("Send one key, as `Authorization: Bearer <key>`.")
        key = await opened(token.strip(), around(request))
        return await principal_of(key, around(request), ambient=False)


async def opened(token: str, here: Around) -> Key:
    """The key that a token proves. Raises `NotSignedIn`."""
    id, now = id_of(token), here.now()
    found = await run_sync(here.app.store.key, id) if id is not None else None
    key = proven(found, token, now=now)
    if key.used_at is None or now - key.used_at >= USED_EVERY:
        with suppress(StoreError):  # a request that only reads must not fail for it
            await run_sync(here.app.store.key_used, key.id, now)
    return key


async def principal_of(key: Key, here: Around, *, ambient: bool, visit: str = "") -> Principal:
    """Raises `NotPermitted` when the directory does not know the key's person any more."""
    person = key.person and await here.known_person(key.person, key.tenant)
    return Principal(
        person or f"key:{key.id}",
        person=person,
        tenant=key.tenant,
        scopes=scopes_of(key.scopes),
        assurance=ASSURANCE,
        ambient=ambient,
        visit=visit,
    )
