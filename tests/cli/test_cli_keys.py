"""`twelvefold keys`: what is shown once, what is kept, and who may not make any."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import Cli
from test_agent_with_a_shell import advancing, command  # what a tool of an agent would run

from twelvefold.keys import id_of
from twelvefold.stores import open_store


def store_of(folder: Path):
    return open_store(str(folder / ".twelvefold" / "threads.db"))


def made(cli: Cli, name: str = "ci", *options: str):
    ran = cli("keys", "create", name, "--scope", "threads:read", *options, "--json")
    assert ran.code == 0, ran.err
    return ran.document


def test_a_new_key_is_on_stdout_alone_and_its_secret_is_kept_nowhere(cli: Cli, folder: Path):
    ran = cli("keys", "create", "ci", "--scope", "threads:read")

    token = ran.out.strip()
    assert id_of(token) is not None
    secret = token.partition(".")[2]
    assert secret not in ran.err
    assert "not shown again" in ran.err
    files = list((folder / ".twelvefold").iterdir())
    assert files
    assert [file.name for file in files if secret.encode() in file.read_bytes()] == []


def test_a_key_is_listed_with_all_but_its_secret(cli: Cli):
    key = made(cli, "anna's phone", "--person", "anna", "--tenant", "acme", "--expires", "90d")

    (row,) = cli("keys", "list", "--json").document["data"]
    assert row == {name: value for name, value in key.items() if name not in ("key", "schema")}
    assert (row["person"], row["tenant"], row["state"]) == ("anna", "acme", "active")
    ends = datetime.fromisoformat(row["expires_at"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)
    assert cli("keys", "list", "--tenant", "other", "--json").document["data"] == []


def test_looking_for_keys_makes_no_log(cli: Cli, folder: Path):
    ran = cli("keys", "list")

    assert (ran.code, ran.out) == (0, "")
    assert not (folder / ".twelvefold").exists()


def test_a_rotated_key_has_another_secret_and_the_one_before_ends(cli: Cli, folder: Path):
    before = made(cli)

    after = cli("keys", "rotate", before["id"], "--until", "24h", "--json").document
    assert after["id"] == before["id"]
    assert after["key"] != before["key"]
    ends = datetime.fromisoformat(after["former_until"])
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)


def test_a_revoked_key_stays_revoked(cli: Cli):
    key = made(cli)

    assert cli("keys", "revoke", key["key"], "--json").document["state"] == "revoked"
    assert cli("keys", "revoke", key["id"]).code == 4
    assert cli("keys", "rotate", key["id"]).code == 4


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_a_key_that_is_not_there_says_where_to_look(cli: Cli, verb: str):
    made(cli)
    ran = cli("keys", verb, "tf_nothing")

    assert ran.code == 3
    assert "next:  twelvefold keys list" in ran.err


@pytest.mark.parametrize(
    "options",
    [
        ("ci",),
        ("ci", "--scope", "everything"),
        ("ci", "--scope", "all", "--expires", "soon"),
        (" ", "--scope", "all"),
        ("ci", "--scope", "all", "--expires", "2020-01-01"),
        ("ci", "--scope", "all", "--person", "an\u202ena"),
    ],
    ids=["no scope", "unknown scope", "no time", "no name", "over", "a hidden sign"],
)
def test_a_key_that_would_mean_nothing_is_not_made(cli: Cli, options: tuple[str, ...]):
    assert cli("keys", "create", *options).code in (2, 6)
    assert cli("keys", "list", "--json").document["data"] == []


def test_a_tool_of_an_agent_makes_itself_no_key(cli: Cli, folder: Path):
    import subprocess

    made(cli)
    create = command("keys", "create", "mine", "--scope", "all", "--person", "anna")
    with advancing(folder):
        ran = subprocess.run(create, cwd=folder, capture_output=True, text=True, check=False)

    assert ran.returncode == 5, ran.stderr
    assert len(cli("keys", "list", "--json").document["data"]) == 1
