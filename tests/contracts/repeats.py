"""What every store must do with requests that may come twice; `test_repeat_stores.py` tries it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from twelvefold.repeats import Claim

NOW = datetime(2026, 11, 20, 9, 55, 33, 123456, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def wish(owner: str = "a", *, at: datetime = NOW, **options: Any) -> Claim:
    made = Claim("default", "k", "same", owner, at, at + 10 * SECOND, at + DAY)
    return replace(made, **options)


def test_a_free_key_is_claimed_with_every_field(store):
    assert store.claim(wish()) == wish()


def test_who_comes_second_gets_the_claim_of_the_first(store):
    store.claim(wish("a"))

    assert store.claim(wish("b", at=NOW + SECOND)) == wish("a")


def test_what_was_answered_is_answered_again_for_as_long_as_it_is_kept(store):
    first = store.claim(wish("a"))

    assert store.settle(first, '{"status": 201}')
    again = store.claim(wish("b", at=NOW + DAY - SECOND, fingerprint="other"))
    assert again == replace(first, reply='{"status": 201}')
    later = wish("b", at=NOW + DAY, fingerprint="other")
    assert store.claim(later) == later


def test_a_claim_that_was_left_is_taken_over_by_the_same_request_alone(store):
    store.claim(wish("a"))
    after = NOW + 10 * SECOND

    assert store.claim(wish("b", at=after, fingerprint="other")).owner == "a"
    taken = store.claim(wish("b", at=after))
    assert (taken.owner, taken.began) == ("b", NOW)
    assert store.claim(wish("c", at=after)).owner == "b"


def test_who_lost_a_claim_settles_nothing_and_gives_up_nothing(store):
    first = store.claim(wish("a"))
    second = store.claim(wish("b", at=NOW + 10 * SECOND))

    assert not store.settle(first, "late")
    store.give_up(first)
    assert store.settle(second, "in time")
    assert store.claim(wish("c", at=NOW + 20 * SECOND)).reply == "in time"


def test_what_is_settled_cannot_be_given_up_nor_settled_anew(store):
    first = store.claim(wish("a"))
    store.settle(first, "one")

    store.give_up(first)
    assert not store.settle(first, "two")
    assert store.claim(wish("b")).reply == "one"


def test_what_was_given_up_begins_anew(store):
    store.give_up(store.claim(wish("a")))

    assert store.claim(wish("b", fingerprint="other")).owner == "b"


def test_keys_of_two_tenants_are_two_keys(store):
    store.claim(wish("a"))

    assert store.claim(wish("b", tenant="other")).owner == "b"


def test_sweeping_forgets_what_is_over_and_nothing_else(store):
    store.claim(wish("a", key="old"))
    store.claim(wish("a", key="new", at=NOW + SECOND))
    store.sweep_claims(NOW + DAY + SECOND / 2)

    assert store.claim(wish("b", key="new", at=NOW + SECOND)).owner == "a"
    assert store.claim(wish("b", key="old", at=NOW + SECOND)).owner == "b"


def test_of_many_at_once_one_has_it(store):
    found: list[str] = []

    def take(owner: str) -> None:
        found.append(store.claim(wish(owner)).owner)

    threads = [threading.Thread(target=take, args=[f"o{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
