"""`twelvefold keys create`, `list`, `rotate` and `revoke`: who may use the server.

The text of a key goes to stdout once, when it is made; nobody can read it again.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

import click

from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.here import Here
from twelvefold.cli.moments import ahead
from twelvefold.cli.options import command
from twelvefold.exceptions import Conflict, UnknownKey
from twelvefold.keys import (
    CHANCE_BYTES,
    OVERLAP,
    SECRET_BYTES,
    Key,
    id_of,
    new_key,
    new_secret,
)
from twelvefold.server.principal import SCOPES
from twelvefold.thread import DEFAULT_TENANT, Json, to_iso

ALL = "all"


@command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([*sorted(SCOPES), ALL]),
    help="What it may do; several times for several.",
)
@click.option("--person", metavar="NAME", help="For whom it decides contacts; none otherwise.")
@click.option("--tenant", default=DEFAULT_TENANT, metavar="NAME", help="All it may see.")
@click.option("--expires", metavar="TIME", help="When it ends: 90d, 2026-12-31; never otherwise.")
@click.pass_obj
def create(
    here: Here,
    name: str,
    scopes: tuple[str, ...],
    person: str | None,
    tenant: str,
    expires: str | None,
) -> None:
    """Make a key called NAME and show it, once."""
    refuse_descendants(here.store)
    now = datetime.now(UTC)
    key, token = new_key(
        name,
        chance=secrets.token_bytes(CHANCE_BYTES),
        now=now,
        scopes=SCOPES if ALL in scopes else scopes,
        tenant=tenant,
        person=person,
        expires_at=None if expires is None else ahead(expires, now=now),
    )
    here.store.add_key(key)
    _show(here, key, token)


@command()
@click.option("--tenant", metavar="NAME", help="Of one tenant; of all otherwise.")
@click.pass_obj
def list_(here: Here, tenant: str | None) -> None:
    """Whose keys there are, what they may do, when they end and were last used."""
    found = here.store.keys(tenant=tenant) if here.has_log else []
    if here.json:
        here.out.document("keys/1", data=[key_data(key) for key in found])
    elif not found:
        here.out.say("there are no keys: the server answers its own machine only")
        here.tell_unbegun()
    else:
        here.out.table([_row(here, key) for key in found])


@command()
@click.argument("id")
@click.option("--until", metavar="TIME", help="When the secret before ends: 24h, 7d (the default).")
@click.pass_obj
def rotate(here: Here, id: str, until: str | None) -> None:
    """Give key ID another secret and show it, once. The one before ends at a date."""
    key, now = _to_change(here, id), datetime.now(UTC)
    if (state := key.state(now)) != "active":
        raise Conflict(f"{key.id} is {state}. Nothing was done; make another key.")
    ends = now + OVERLAP if until is None else ahead(until, now=now)
    token, hashed = new_secret(key.id, chance=secrets.token_bytes(SECRET_BYTES))
    if not here.store.rotate_key(key.id, hashed, former_until=ends):
        raise Conflict(f"{key.id} was revoked meanwhile. Nothing was done.")
    _show(here, _found(here, key.id), token)


@command()
@click.argument("id")
@click.pass_obj
def revoke(here: Here, id: str) -> None:
    """End key ID now and for good, with the visits that began by it."""
    key = _to_change(here, id)
    if not here.store.revoke_key(key.id, datetime.now(UTC)):
        raise Conflict(f"{key.id} was revoked before. Nothing was done.")
    if here.json:
        here.out.document("key/1", **key_data(_found(here, key.id)))
    else:
        here.out.line(f"revoked  {key.id}  {key.name}")


def key_data(key: Key) -> dict[str, Json]:
    """A key as it is published: nothing of its secrets."""
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(datetime.now(UTC)),
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "person": key.person,
        "created_at": to_iso(key.created_at),
        "expires_at": key.expires_at and to_iso(key.expires_at),
        "former_until": key.former_until and to_iso(key.former_until),
        "revoked_at": key.revoked_at and to_iso(key.revoked_at),
        "used_at": key.used_at and to_iso(key.used_at),
    }


def _to_change(here: Here, id: str) -> Key:
    """Raises `UnknownKey`, and `NotAllowed` for what a running advance started."""
    if not here.has_log:
        raise UnknownKey(f"there is no key {id_of(id) or id!r}: {here.log_name} does not exist.")
    refuse_descendants(here.store)
    return _found(here, id)


def _found(here: Here, id: str) -> Key:
    """By its id, or by a whole key, of which only the id is used. Raises `UnknownKey`."""
    wanted = id_of(id) or id
    key = here.store.key(wanted)
    if key is None or key.once:
        raise UnknownKey(f"there is no key {wanted!r} in this store.")
    return key


def _show(here: Here, key: Key, token: str) -> None:
    if here.json:
        here.out.document("key/1", key=token, **key_data(key))
        return
    here.out.line(token)
    ends = "" if key.expires_at is None else f", ends {here.out.when(key.expires_at)}"
    for_whom = "decides no contact" if key.person is None else f"decides as {key.person}"
    here.out.say(f"{key.id}  {key.name}  {key.tenant}: {_scopes(key)}; {for_whom}{ends}")
    if key.former_until is not None:
        here.out.say(f"the secret before ends {here.out.when(key.former_until)}")
    here.out.say("Keep it now: it is not shown again. Send it as `Authorization: Bearer <key>`.")


def _row(here: Here, key: Key) -> list[Any]:
    used = "never used" if key.used_at is None else f"used {here.out.when(key.used_at)}"
    ends = "no end" if key.expires_at is None else f"ends {here.out.when(key.expires_at)}"
    state = key.state(datetime.now(UTC))
    return [key.id, key.name, state, key.tenant, key.person or "-", _scopes(key), ends, used]


def _scopes(key: Key) -> str:
    return ALL if key.scopes == SCOPES else ",".join(sorted(key.scopes))
