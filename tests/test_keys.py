"""What is a key, what proves it, and when it ends."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvefold import keys
from twelvefold.exceptions import ConfigurationError, NotSignedIn
from twelvefold.keys import CHANCE_BYTES, Key, hashed, id_of, new_key, new_secret, proven

NOW = datetime(2026, 11, 20, 9, 55, 33, tzinfo=UTC)
CHANCE = bytes(range(CHANCE_BYTES))


def made(**options) -> tuple[Key, str]:
    return new_key("ci", **({"chance": CHANCE, "now": NOW, "scopes": ["admin"]} | options))


def test_a_key_is_proven_by_its_text():
    key, token = made()

    assert proven(key, token, now=NOW) == key
    assert id_of(token) == key.id


def test_what_is_kept_holds_nothing_of_the_secret():
    key, token = made()
    secret = token.partition(".")[2]

    assert key.secret == hashed(token)
    assert secret not in repr(key)
    assert len(secret) == 43  # 256 bits, six to a character


@given(st.integers(0, 60), st.characters(codec="ascii", categories=["L", "N"]))
def test_any_other_character_proves_nothing(at: int, char: str):
    key, token = made()
    other = token[:at] + char + token[at + 1 :]

    if other != token:
        with pytest.raises(NotSignedIn):
            proven(key, other, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tf_",
        "tf_abcdefghijklmnop",
        "tf_abcdefghijklmnop.",
        "tf_abcdefghijklmno1." + "x" * 43,
        "tf_abcdefghijklmnop." + "x" * 44,
        " tf_abcdefghijklmnop." + "x" * 43,
        "é" * 64,
        "tf_abcdefghijklmnop." + "x" * 43 + "\n",
    ],
)
def test_what_is_no_key_names_none(text: str):
    assert id_of(text) is None


def test_nobody_learns_whether_a_key_is_there():
    key, _ = made()
    wrong = f"{key.id}.{'x' * 43}"
    said: list[str] = []
    for known in (None, key):
        with pytest.raises(NotSignedIn) as refused:
            proven(known, wrong, now=NOW)
        said.append(str(refused.value))

    assert said[0] == said[1]


@pytest.mark.parametrize("ended", ["expired", "revoked"])
def test_only_who_has_the_secret_learns_that_a_key_has_ended(ended: str):
    key, token = made(expires_at=NOW + timedelta(days=1))
    if ended == "revoked":
        key = Key(**{**fields_of(key), "revoked_at": NOW})
    later = NOW + timedelta(days=2)

    with pytest.raises(NotSignedIn, match=ended):
        proven(key, token, now=later)
    with pytest.raises(NotSignedIn, match="no key here"):
        proven(key, f"{key.id}.{'x' * 43}", now=later)


def fields_of(key: Key) -> dict:
    return {name: getattr(key, name) for name in Key.__dataclass_fields__}


def test_a_key_ends_at_the_very_moment():
    key, token = made(expires_at=NOW + timedelta(seconds=1))

    assert proven(key, token, now=NOW) == key
    with pytest.raises(NotSignedIn, match="expired"):
        proven(key, token, now=NOW + timedelta(seconds=1))


def test_after_a_rotation_both_count_until_the_date_and_an_older_one_never():
    key, first = made()
    second, kept = new_secret(key.id, chance=b"\1" * 32)
    third, newest = new_secret(key.id, chance=b"\2" * 32)
    ends = NOW + timedelta(days=7)
    now = Key(**{**fields_of(key), "secret": newest, "former": kept, "former_until": ends})

    assert proven(now, third, now=ends) == now
    assert proven(now, second, now=ends - timedelta(seconds=1)) == now
    for token, at in ((second, ends), (first, NOW)):
        with pytest.raises(NotSignedIn):
            proven(now, token, now=at)


def test_a_token_for_one_use_is_no_key_and_no_key_is_a_token():
    key, token = made()
    once, link = made(once=True)

    with pytest.raises(NotSignedIn):
        proven(once, link, now=NOW)
    with pytest.raises(NotSignedIn):
        proven(key, token, now=NOW, once=True)
    assert proven(once, link, now=NOW, once=True) == once


def test_secrets_are_compared_in_the_same_time_for_all():
    source = inspect.getsource(keys.Key.opens)

    assert source.count("hmac.compare_digest") == 2
    assert "==" not in source
    # Both are compared before either decides.
    assert source.index("return") > source.rindex("compare_digest")


def test_too_little_chance_is_refused():
    with pytest.raises(ValueError, match="42 bytes"):
        made(chance=b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        new_secret("tf_abcdefghijklmnop", chance=b"short")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "x" * 101, "an\u202ena", "\ud800"])
def test_a_name_that_nobody_can_read_is_refused(name: str):
    for options in ({"person": name}, {"tenant": name}):
        with pytest.raises(ConfigurationError, match="is no name"):
            made(**options)
    with pytest.raises(ConfigurationError, match="is no name"):
        new_key(name, chance=CHANCE, now=NOW, scopes=())


def test_a_key_that_has_ended_is_not_made():
    with pytest.raises(ConfigurationError, match="end before it begins"):
        made(expires_at=NOW)
