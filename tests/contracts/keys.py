"""What every store must do with keys; `test_key_stores.py` puts each store under it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from twelvefold.keys import CHANCE_BYTES, SECRET_BYTES, Key, hashed, new_key, new_secret

NOW = datetime(2026, 11, 20, 9, 55, 33, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def made(store: Any, n: int = 1, **options: Any) -> tuple[Key, str]:
    options = {"scopes": ["threads:read"], "now": NOW + timedelta(seconds=n)} | options
    key, token = new_key(f"key {n}", chance=bytes([n]) * CHANCE_BYTES, **options)
    store.add_key(key)
    return key, token


def test_a_key_comes_back_with_every_field(store):
    scopes = ["threads:read", "contacts:answer"]
    key, _ = made(store, tenant="acme", person="änna", scopes=scopes, expires_at=LATER)

    assert store.key(key.id) == key


def test_a_store_without_keys_says_so(store):
    assert (store.has_keys(), store.keys(), store.key("tf_none")) == (False, [], None)


def test_keys_are_listed_by_age_and_by_tenant(store):
    ours = [made(store, n)[0] for n in (2, 1)]
    theirs, _ = made(store, 3, tenant="other")

    assert store.keys() == [ours[1], ours[0], theirs]
    assert store.keys(tenant="other") == [theirs]


def test_a_rotation_leaves_the_secret_before_until_its_date(store):
    key, before = made(store)
    after, secret = new_secret(key.id, chance=b"\7" * SECRET_BYTES)

    assert store.rotate_key(key.id, secret, former_until=LATER)
    now = store.key(key.id)
    assert now.opens(hashed(after), LATER)
    assert now.opens(hashed(before), NOW)
    assert not now.opens(hashed(before), LATER)


def test_a_revoked_key_stays_revoked(store):
    key, _ = made(store)

    assert store.revoke_key(key.id, LATER)
    assert not store.revoke_key(key.id, NOW)
    assert not store.rotate_key(key.id, "0" * 64, former_until=LATER)
    assert store.key(key.id).revoked_at == LATER
    assert store.key(key.id).secret == key.secret
    assert store.has_keys()


def test_nothing_becomes_of_a_key_that_is_not_there(store):
    assert not store.revoke_key("tf_none", NOW)
    assert not store.rotate_key("tf_none", "0" * 64, former_until=LATER)
    store.key_used("tf_none", NOW)

    assert store.keys() == []


def test_the_last_use_never_goes_back(store):
    key, _ = made(store)

    for at in (LATER, NOW):
        store.key_used(key.id, at)

    assert store.key(key.id).used_at == LATER


def test_a_token_for_one_use_is_no_key_and_is_forgotten_when_it_is_over(store):
    token, _ = made(store, once=True, expires_at=LATER)

    assert (store.has_keys(), store.keys()) == (False, [])
    assert store.key(token.id) == token
    assert not store.rotate_key(token.id, "0" * 64, former_until=LATER)
    store.sweep_keys(LATER)
    assert store.key(token.id) == token
    store.sweep_keys(LATER + timedelta(seconds=1))
    assert store.key(token.id) is None


def test_a_token_is_spent_by_one_of_many(store):
    token, _ = made(store, once=True, expires_at=LATER)
    spent: list[bool] = []
    threads = [
        threading.Thread(target=lambda: spent.append(store.revoke_key(token.id, NOW)))
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(spent) == [False] * 7 + [True]
