"""threads verify, heads and erase, audit-log, db scrub: what they say and how they exit."""

import csv
import io
import json
import os
import pty
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from commands import Cli, Ran

from twelvefold.cli.moments import moment

MAIN = "from twelvefold.cli import main; main()"
WHY = ("--reason", "request 4711", "--as", "olga")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def sql(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """Run a statement in the database of the log, as somebody who may."""
    if request.param == "sqlite":
        return lambda statement: in_file(folder / ".twelvefold" / "threads.db", statement)
    import psycopg

    url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("TWELVEFOLD_STORE", url)

    def on_server(statement: str) -> Any:
        with psycopg.connect(url) as db:
            return db.execute(statement.encode())

    return on_server


def in_file(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


def decided(cli: Cli, id: str = "one") -> None:
    """A thread that was asked, refused one, approved by another and finished."""
    cli("run", "bot", "deploy v1", "--id", id)
    assert cli("approve", id, "--as", "mallory").code == 5
    assert cli("approve", id, "--as", "anna", "--comment", "=1+1").code == 0


def refused(ran: Ran, code: int, *words: str) -> None:
    assert (ran.code, ran.out) == (code, ""), ran
    assert ran.err.startswith("error: ")
    for word in words:
        assert word in ran.err


def on_terminal(*args: str, typed: str = "") -> tuple[int, str]:
    """Run a command on a terminal of its own, where this is typed."""
    pid, master = pty.fork()
    if pid == 0:  # the child becomes the command
        os.environ["NO_COLOR"] = "1"
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *args])
    os.write(master, typed.encode())
    seen = b""
    while True:
        try:
            read = os.read(master, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not read:
            break
        seen += read
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


# verify and heads


def test_a_whole_log_is_verified(cli: Cli, sql: Any):
    decided(cli)

    assert cli("threads", "verify", "one").out == "ok      one  10 events\n"
    everything = cli("threads", "verify", "--all")
    assert (everything.code, everything.out) == (0, "")
    assert everything.err == "1 threads: 0 broken, 0 erased\n"


def test_what_was_changed_is_said_with_its_event_and_exits_1(cli: Cli, sql: Any):
    decided(cli)
    decided(cli, "two")
    sql(
        "update twelvefold_events set data = replace(data, 'v1', 'v9') where seq = 2 and thread ="
        " (select n from twelvefold_threads where id = 'two')"
    )

    assert cli("threads", "verify", "one").code == 0
    assert cli("threads", "verify", "two").code == 1
    ran = cli("threads", "verify", "--all")

    assert ran.code == 1
    assert ran.out.startswith("broken  two  event 2: ")
    assert ran.err == "2 threads: 1 broken, 0 erased\n"


def test_the_published_shape_of_verify(cli: Cli, sql: Any):
    decided(cli)
    cli("run", "bot", "hello", "--id", "two")
    sql("update twelvefold_threads set agent = 'robot' where id = 'one'")

    document = cli("threads", "verify", "--all", "--json").document

    assert set(document) == {"schema", "ok", "threads", "heads", "data"}
    assert (document["schema"], document["ok"]) == ("twelvefold.verify/1", False)
    one, two = document["data"]
    assert (one.pop("why")[:9], one["event"]) == ("its chain", 1)
    assert two == {
        "tenant": "default",
        "thread": "two",
        "ok": True,
        "events": 3,
        "erased": 0,
        "event": None,
        "why": None,
    }


@pytest.mark.parametrize("column", ["data", "type", "key"])
def test_bytes_that_are_no_text_are_found_and_stop_no_report(cli: Cli, folder: Path, column: str):
    decided(cli)
    in_file(
        folder / ".twelvefold" / "threads.db",
        f"update twelvefold_events set {column} = cast(x'ff7b' as text) where seq = 5",
    )

    assert cli("threads", "verify", "--all").out.startswith("broken  one  event 5: ")
    assert cli("audit-log", "--csv").code == 0
    assert cli("audit-log", "--json").code == 0


def test_a_row_that_was_changed_is_said(cli: Cli, sql: Any):
    decided(cli)
    sql("update twelvefold_threads set head = 9")

    ran = cli("threads", "verify", "one")

    assert ran.out == "broken  one  its row: the thread's row says 9 events, and there are 10\n"


def test_heads_find_what_the_chain_cannot(cli: Cli, sql: Any, folder: Path):
    decided(cli)
    decided(cli, "two")
    (folder / "key").write_text("k" * 64)
    signing = ("--head", "heads.jsonl", "--key-file", "key")
    made = cli("threads", "heads", "--export", "heads.jsonl", "--key-file", "key")
    assert made.out == "the heads of 2 threads are in heads.jsonl\n"
    assert cli("threads", "verify", "--all", *signing).code == 0

    sql("delete from twelvefold_contacts")
    sql("delete from twelvefold_events where seq > 9")
    sql(
        "update twelvefold_threads set head = 9, chain ="
        " (select chain from twelvefold_events e where e.thread = n and e.seq = 9)"
    )
    assert cli("threads", "verify", "--all").code == 0  # a chain alone does not miss its end
    cut = cli("threads", "verify", "two", *signing)
    assert (cut.code, cut.out) == (
        1,
        "broken  two  event 10: it is gone: the exported head is event 10\n",
    )

    sql("delete from twelvefold_events")
    sql("delete from twelvefold_threads")
    gone = cli("threads", "verify", "--all", *signing)
    assert gone.code == 1
    assert "broken  one  its row: the thread is gone: it had 10 events" in gone.out


def test_heads_that_do_not_name_the_thread_are_said(cli: Cli):
    decided(cli)
    cli("threads", "heads", "--export", "h")
    decided(cli, "two")

    ran = cli("threads", "verify", "two", "--head", "h")

    assert (ran.code, "do not name this thread" in ran.err) == (0, True)
    assert cli("threads", "verify", "--all", "--head", "h").code == 0


def test_heads_are_json_lines_for_whoever_keeps_them(cli: Cli, folder: Path):
    assert cli("threads", "heads").documents[0]["threads"] == 0
    decided(cli)

    first, head, last = cli("threads", "heads").documents

    assert (first["schema"], first["threads"]) == ("twelvefold.heads/1", 1)
    assert (head["thread"], head["head"], len(head["chain"])) == ("one", 10, 64)
    assert last == {"signature": None}
    document = cli("threads", "heads", "--export", "h", "--json").document
    assert document == {
        "schema": "twelvefold.export-heads/1",
        "path": "h",
        "threads": 1,
        "signed": False,
    }


def test_a_signature_that_nobody_checked_is_said(cli: Cli, folder: Path):
    decided(cli)
    (folder / "key").write_bytes(b"k" * 32)
    (folder / "other").write_bytes(b"x" * 32)
    cli("threads", "heads", "--export", "h", "--key-file", "key")

    unchecked = cli("threads", "verify", "one", "--head", "h")
    assert unchecked.code == 0
    assert "nobody checked" in unchecked.err
    refused(cli("threads", "verify", "one", "--head", "h", "--key-file", "other"), 2, "another key")
    refused(cli("threads", "verify", "one", "--head", "h", "--key-file", "none"), 2, "none")
    refused(cli("threads", "verify", "one", "--head", "none"), 2, "none")
    (folder / "short").write_bytes(b"x" * 9)
    refused(cli("threads", "heads", "--key-file", "short"), 2, "32 are needed")


@pytest.mark.parametrize("args", [(), ("one", "--all")])
def test_verify_takes_one_thread_or_all(cli: Cli, args: tuple[str, ...]):
    decided(cli)

    refused(cli("threads", "verify", *args), 2, "--all")


def test_an_attachment_with_other_bytes_is_found(cli: Cli, folder: Path):
    decided(cli)
    from twelvefold.store import Append
    from twelvefold.stores import open_store
    from twelvefold.thread import Draft

    store = open_store(str(folder / ".twelvefold" / "threads.db"))
    named = {"sha256": store.keep(b"what was attached")}
    store.commit_now(Append("one", [Draft("noted", named, NOW)]))
    store.close()
    assert cli("threads", "verify", "one").code == 0
    exported = cli("threads", "export", "one", "--out", "one.jsonl")
    assert exported.code == 0
    elsewhere = ("--store", "elsewhere.db")
    assert cli(*elsewhere, "threads", "import", "one.jsonl").code == 0
    assert cli(*elsewhere, "threads", "verify", "one").code == 0  # nothing was attached there
    in_file(folder / ".twelvefold" / "threads.db", "update twelvefold_blobs set content = x'00'")

    assert "event 11: its attachment" in cli("threads", "verify", "one").out


# audit-log


def test_the_audit_log_says_who_decided_and_who_was_refused(cli: Cli, sql: Any):
    decided(cli)

    lines = cli("audit-log").out.splitlines()

    assert len(lines) == 4
    for line, words in zip(
        lines, ["asked", "refused approve", "answered approve", "closed approved"], strict=True
    ):
        assert words in line
        assert "one.s1.1" in line
    assert "mallory (cli)" in lines[1]
    assert "anna (cli)" in lines[2]


def test_the_audit_log_as_csv_runs_nothing_in_a_spreadsheet(cli: Cli, sql: Any):
    decided(cli)

    text = cli("audit-log", "--csv", "--by", "anna").out
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["comment"] for row in rows] == ["'=1+1", "'=1+1"]
    assert json.loads(rows[0]["args"])["tag"] == "v1"
    assert len(rows[0]["digest"]) == 64


def test_the_audit_log_as_json_has_the_published_shape(cli: Cli, sql: Any):
    decided(cli)
    decided(cli, "two")

    (row, closed) = cli("audit-log", "--json", "--by", "anna", "--thread", "two").documents

    assert len(row.pop("digest")) == 64
    assert row.pop("at") == closed["at"]
    assert row == {
        "schema": "twelvefold.audit/1",
        "what": "answered",
        "decision": "approve",
        "by": "anna",
        "channel": "cli",
        "assurance": "local",
        "to": None,
        "tenant": "default",
        "thread": "two",
        "contact": "two.s1.1",
        "event": 5,
        "agent": "bot",
        "intent": "deploy",
        "args": {"tag": "v1", "options": {"ports": [80, 81]}},
        "answer": None,
        "comment": "=1+1",
        "origin": "",
    }


def test_the_audit_log_begins_where_it_is_told(cli: Cli):
    decided(cli)

    assert len(cli("audit-log", "--json", "--since", "1h").documents) == 4
    assert "no line is of that; 4 others" in cli("audit-log", "--since", "2999-01-01").err
    refused(cli("audit-log", "--since", "soon"), 2, "'soon' is no time")


def test_no_comment_can_command_the_terminal(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("approve", "one", "--as", "anna", "--comment", "fine\x1b[2J\u202e")

    for form in ((), ("--csv",), ("--json",)):
        code, seen = on_terminal("audit-log", *form)
        assert code == 0
        assert "fine" in seen
        assert "\x1b[2J" not in seen
        assert "\u202e" not in seen
    assert "fine\x1b[2J\u202e" in cli("audit-log", "--csv").out


def test_nothing_to_audit_creates_nothing(cli: Cli, folder: Path):
    assert cli("audit-log", "--csv").code == 0
    assert os.listdir(folder) == ["app.py"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("12h", NOW - timedelta(hours=12)),
        ("90d", NOW - timedelta(days=90)),
        ("8w", NOW - timedelta(weeks=8)),
        ("2y", NOW - timedelta(days=730)),
        ("999999y", datetime.min.replace(tzinfo=UTC)),
        ("2026-11-20", NOW.replace(hour=0)),
        ("2026-11-20T12:00:00Z", NOW),
        ("2026-11-20T14:00:00+02:00", NOW),
    ],
)
def test_times_are_dates_or_ages(text: str, at: datetime):
    assert moment(text, now=NOW) == at


@pytest.mark.parametrize("text", ["", "2", "y", "-2y", "2 y", "2m", "tomorrow", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(click.UsageError):
        moment(text, now=NOW)


# erase


def test_erasing_leaves_the_chain_and_says_erased_everywhere(cli: Cli, sql: Any):
    decided(cli)
    cli("threads", "heads", "--export", "heads.jsonl")

    ran = cli("threads", "erase", "one", *WHY, "--yes")

    assert (ran.code, ran.out) == (0, "erased  one\n")
    verified = cli("threads", "verify", "one", "--head", "heads.jsonl")
    assert (verified.code, verified.out) == (0, "ok      one  11 events, 10 erased\n")
    (row,) = cli("threads", "list", "--status", "erased", "--json").document["data"]
    assert (row["id"], row["steps"]) == ("one", 0)
    shown = cli("threads", "show", "one").out
    assert "contact_answered, whose data is gone" in shown
    assert "10 events, by olga: request 4711" in shown
    for command in ("threads show one", "threads export one", "audit-log", "inbox"):
        assert "v1" not in cli(*command.split()).out
    assert "anna" in cli("audit-log").out
    for command in ("threads replay one", "threads export one --format md", "doctor", "db rebuild"):
        assert cli(*command.split()).code == 0, command


def test_a_thread_that_has_not_ended_is_refused_with_what_to_do(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    refused(cli("threads", "erase", "one", *WHY, "--yes"), 4, "twelvefold cancel one")
    assert cli("cancel", "one").code == 0
    assert cli("threads", "erase", "one", *WHY, "--yes").code == 0
    refused(cli("threads", "erase", "one", *WHY, "--yes"), 4, "erased already")
    refused(cli("send", "one", "message", "hi"), 4)
    refused(cli("threads", "fork", "one"), 4, "erased")


def test_nothing_is_erased_unasked(cli: Cli):
    decided(cli)

    refused(cli("threads", "erase", "one", *WHY), 2, "--yes")
    refused(cli("threads", "erase", "one", "--yes"), 2, "--reason")
    refused(cli("threads", "erase", *WHY, "--yes"), 2, "--finished-before")
    refused(cli("threads", "erase", "none", *WHY, "--yes"), 3)
    assert cli("threads", "verify", "one").out == "ok      one  10 events\n"


@pytest.mark.parametrize(("typed", "code"), [("one", 0), ("two", 4), ("\x04", 4)])
def test_a_terminal_asks_for_the_id(cli: Cli, typed: str, code: int):
    decided(cli)
    exited, seen = on_terminal("threads", "erase", "one", *WHY, typed=f"{typed}\n")

    assert exited == code, seen
    assert "Type one to erase" in seen
    assert ("erased" in cli("threads", "list").out) == (code == 0)


def test_threads_are_erased_by_the_age_of_their_end(cli: Cli, sql: Any):
    decided(cli, "old")
    decided(cli, "new")
    cli("run", "bot", "deploy v1", "--id", "open")
    sql(
        'update twelvefold_threads set summary = replace(summary, \'"updated_at":"20\','
        " '\"updated_at\":\"19') where id in ('old', 'open')"
    )

    before = ("threads", "erase", "--finished-before", "2y", *WHY)
    refused(cli(*before), 2, "--yes")
    ran = cli(*before, "--yes", "--json")

    assert ran.document["schema"] == "twelvefold.erase/1"
    assert ran.document["threads"] == ["old"]
    statuses = {
        row["id"]: row["status"] for row in cli("threads", "list", "--json").document["data"]
    }
    assert statuses == {"old": "erased", "new": "finished", "open": "waiting"}
    again = cli(*before, "--yes")
    assert (again.code, again.err) == (0, "nothing ended before that; nothing was erased\n")


def test_a_family_that_cannot_go_is_named_and_the_others_go(cli: Cli, folder: Path):
    cli("run", "bot", "hand deploy v1", "--id", "parent")
    decided(cli, "old")
    in_file(
        folder / ".twelvefold" / "threads.db",
        "update twelvefold_threads set status = 'finished' where id = 'parent'",
    )

    ran = cli("threads", "erase", "--finished-before", "2999-01-01", *WHY, "--yes")

    assert ran.code == 0
    assert ran.out == "erased  old\n"
    assert "kept: parent" in ran.err


def test_a_family_is_erased_once(cli: Cli):
    assert cli("run", "bot", "hand hello", "--id", "one").code == 0

    ran = cli("threads", "erase", "--finished-before", "2999-01-01", *WHY, "--yes")

    assert (ran.code, sorted(ran.out.split())) == (0, ["erased", "erased", "one", "one.s1"])
    assert ran.err == ""


def test_the_file_is_rewritten_or_that_is_left_for_later(cli: Cli, folder: Path):
    decided(cli)
    file = folder / ".twelvefold" / "threads.db"

    later = cli("threads", "erase", "one", *WHY, "--yes", "--no-scrub")
    assert "twelvefold db scrub" in later.err
    assert cli("db", "scrub").out == f"{file} was rewritten\n"

    assert b"v1 is live" not in file.read_bytes()
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from twelvefold_events").fetchone()
    try:
        in_use = cli("db", "scrub")
    finally:
        reader.close()
    assert (in_use.code, "in use" in in_use.out) == (4, True)
    assert cli("db", "scrub", "--json").document == {
        "schema": "twelvefold.scrub/1",
        "path": str(file),
        "done": True,
        "sql": None,
    }


def test_a_server_is_told_how_to_rewrite_its_tables(cli: Cli, postgres_url: str):
    import psycopg

    said = cli("--store", postgres_url, "db", "scrub")

    assert said.code == 0
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(said.out.encode())
