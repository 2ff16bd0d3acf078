"""Lists, the timeline, replay, fork, export, context and doctor: reading changes nothing."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import Cli

from twelvefold.store import Append
from twelvefold.stores import open_store
from twelvefold.thread import Draft, from_jsonl

MAIN = "from twelvefold.cli import main; main()"


def test_threads_list_has_the_published_shape(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    document = cli("threads", "list", "--json").document

    assert set(document) == {"schema", "data", "next_cursor"}
    assert document["schema"] == "twelvefold.threads/1"
    (row,) = document["data"]
    assert row.pop("created_at") <= row.pop("updated_at")
    assert row == {
        "id": "one",
        "agent": "bot",
        "status": "waiting",
        "waiting_for": ["one.s1.1"],
        "steps": 1,
        "cost": 0.0,
    }


def test_next_cursor_walks_all_threads_newest_first(cli: Cli):
    for name in ("one", "two", "three"):
        cli("run", "bot", "hello", "--id", name, "--detach")

    first = cli("threads", "list", "--json", "--limit", "2").document
    cursor = first["next_cursor"]
    second = cli("threads", "list", "--json", "--limit", "2", "--cursor", cursor).document

    assert [row["id"] for row in first["data"]] == ["three", "two"]
    assert [row["id"] for row in second["data"]] == ["one"]
    assert second["next_cursor"] is None


def test_threads_are_listed_by_status_and_agent(cli: Cli):
    cli("run", "bot", "hello", "--id", "done")
    cli("run", "bot", "deploy v1", "--id", "open")

    def ids(*args: str) -> list[str]:
        return [row["id"] for row in cli("threads", "list", "--json", *args).document["data"]]

    assert ids("--status", "waiting") == ["open"]
    assert ids("--agent", "bot") == ["open", "done"]
    assert ids("--agent", "nobody") == []


def test_the_inbox_has_the_published_shape(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    document = cli("inbox", "--json").document

    (row,) = document["data"]
    assert len(row.pop("digest")) == 64
    assert row.pop("asked_at") < row.pop("deadline")
    assert row == {
        "id": "one.s1.1",
        "thread": "one",
        "agent": "bot",
        "kind": "approval",
        "intent": "deploy",
        "args": {"tag": "v1", "options": {"ports": [80, 81]}},
        "risk": "high",
        "to": {"people": ["anna", "ben"], "needed": 1},
        "not_sent": [],
    }


def test_the_inbox_for_people_says_what_and_how_to_decide(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    out = cli("inbox").out

    assert "one.s1.1   bot: deploy (approval, high risk)" in out
    assert '{"ports":[80,81]}' in out
    assert "for anna or ben" in out
    assert "twelvefold approve one.s1.1" in out


def test_mine_shows_only_what_my_login_may_decide(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    cli("run", "bot", "deploy v1")

    monkeypatch.setenv("LOGNAME", "ben")
    assert len(cli("inbox", "--mine", "--json").document["data"]) == 1
    monkeypatch.setenv("LOGNAME", "mallory")
    assert cli("inbox", "--mine", "--json").document["data"] == []


def test_mine_may_be_somebody_elses(cli: Cli):
    cli("run", "bot", "deploy v1")

    assert len(cli("inbox", "--mine", "--as", "anna", "--json").document["data"]) == 1
    assert cli("inbox", "--mine", "--as", "mallory", "--json").document["data"] == []


def test_what_was_not_sent_is_in_the_inbox_and_the_doctor(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    data = {"contact": "s1.1", "channel": "email", "to": "anna@x.org", "person": "anna"}
    lost = Draft(
        "contact_not_sent", data | {"error": "no route\x1b[2J", "tries": 1}, datetime.now(UTC)
    )
    store = open_store(str(folder / ".twelvefold/threads.db"))
    store.commit_now(Append("one", [lost]))
    store.close()

    said = "not sent to anna: no route\\x1b[2J (1 tries, will be tried again)"
    assert said in cli("inbox").out
    assert said in cli("doctor").out


def test_a_watched_inbox_shows_what_comes_and_what_is_decided(cli: Cli, folder: Path):
    command = [sys.executable, "-c", MAIN, "inbox", "--watch", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            cli("run", "bot", "deploy v1", "--id", "one")
            came = json.loads(watching.stdout.readline())
            cli("deny", "one", "--as", "anna", "--comment", "no")
            gone = json.loads(watching.stdout.readline())
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait() == 130

    assert (came["id"], came["waits"]) == ("one.s1.1", True)
    assert (gone["id"], gone["waits"]) == ("one.s1.1", False)


def test_the_timeline_has_each_event_with_its_seq_and_iso_time_when_piped(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("approve", "one", "--as", "anna")

    lines = cli("threads", "show", "one").out.splitlines()

    assert lines[0] == "one  bot  finished"
    assert [line.split()[0] for line in lines[1:]] == [str(seq) for seq in range(1, 10)]
    assert all(line.split()[1].endswith("Z") for line in lines[1:])


def test_what_is_shortened_says_by_how_much(cli: Cli):
    cli("run", "bot", "x" * 500, "--id", "long")

    assert "... (+402 characters)" in cli("threads", "show", "long").out
    assert "x" * 500 in cli("threads", "show", "long", "--full").out


def test_replay_agrees_with_the_code_that_decided(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("threads", "replay", "@last")

    assert (ran.code, ran.out) == (0, "")
    assert "the same decisions" in ran.err


def test_replay_exits_1_and_shows_both_effects_when_the_code_changed(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    app.write_text(app.read_text().replace('by=["anna", "ben"]', 'by="olga"'))

    ran = cli("threads", "replay", "one")
    (difference,) = cli("threads", "replay", "one", "--json").document["data"]

    assert ran.code == 1
    assert "event 3 (decision)" in ran.out
    assert '"anna","ben"' in ran.out
    assert "olga" in ran.out
    assert (difference["seq"], difference["kind"]) == (3, "decision")


RENAMED = "one, event 2, step s1: deploy no longer parses: version: Field required; tag: Extra"


def test_replay_begins_with_the_step_that_the_code_no_longer_reads(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    text = app.read_text()
    app.write_text(text.replace("    tag: str\n", "    version: str\n"))

    ran = cli("threads", "replay", "one")
    document = cli("threads", "replay", "one", "--json").document

    reason, remedy, *differences = ran.out.splitlines()
    assert ran.code == 1
    assert reason.startswith(RENAMED)
    assert 'Field(alias="old")' in remedy
    assert "event 3 (decision)" in differences
    assert document["why"] == [reason, remedy]

    alias = '    version: str = Field(alias="tag")\n'
    app.write_text(text.replace("    tag: str\n", alias).replace("step.tag", "step.version"))
    aliased = cli("threads", "replay", "one", "--json").document
    assert (aliased["why"], aliased["data"]) == ([], [])


def test_replay_blames_no_step_for_what_decide_does_otherwise(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    app.write_text(app.read_text().replace('by=["anna", "ben"]', 'by="olga"'))

    assert cli("threads", "replay", "one").out.startswith("event 3 (decision)\n")
    assert cli("threads", "replay", "one", "--json").document["why"] == []


def test_a_fork_asks_anew_and_leaves_the_original(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    document = cli("threads", "fork", "one", "--at", "3", "--id", "two", "--json").document
    assert document == {"schema": "twelvefold.fork/1", "thread": "two", "from": "one", "at": 3}
    assert cli("resume", "two").code == 10

    assert cli("approve", "two", "--as", "anna").code == 0
    assert [row["thread"] for row in cli("inbox", "--json").document["data"]] == ["one"]


def test_a_fork_outside_the_log_exits_4(cli: Cli):
    cli("run", "bot", "hello", "--id", "one")

    assert cli("threads", "fork", "one", "--at", "99").code == 4


def test_an_export_is_the_log_line_by_line(cli: Cli, folder: Path):
    cli("run", "bot", "caf\u00e9 \u202e\x1b[2J", "--id", "one")

    ran = cli("threads", "export", "one")
    cli("threads", "export", "one", "--out", "one.jsonl")

    assert from_jsonl(ran.out).events[0].data["text"] == "caf\u00e9 \u202e\x1b[2J"
    assert (folder / "one.jsonl").read_text(encoding="utf-8") == ran.out
    assert [path.name for path in folder.glob("*one*")] == ["one.jsonl"]


def test_an_export_that_cannot_be_written_exits_6_and_leaves_nothing(cli: Cli, folder: Path):
    cli("run", "bot", "hello", "--id", "one")
    (folder / "taken").mkdir()

    assert cli("threads", "export", "one", "--out", "nowhere/one.jsonl").code == 6
    assert cli("threads", "export", "one", "--out", "taken").code == 6
    assert sorted(path.name for path in folder.glob("[!.]*")) == ["app.py", "taken"]
    assert list(folder.glob("*.unfinished")) == []


def test_context_shows_the_bytes_that_were_sent(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    ran = cli("context", "show", "one", "--at", "2")
    document = cli("context", "show", "one", "--at", "2", "--json").document

    assert "<user_message>\ndeploy v1\n</user_message>" in ran.out
    assert "the same bytes as were sent" in ran.err
    assert document["messages"][0]["text"] == "<user_message>\ndeploy v1\n</user_message>\n"
    assert document["hash"] == document["recorded_hash"]
    assert document["same"] is True


def test_context_says_when_todays_code_makes_other_bytes(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    cli("run", "bot", "deploy v1", "--id", "one")
    monkeypatch.setenv("DEPLOYS_PROMPT", "Be careful.\n")

    assert "DIFFERENT from what was sent" in cli("context", "show", "one", "--at", "2").err
    assert cli("context", "show", "one", "--at", "2", "--json").document["same"] is False


def test_context_shows_the_next_request_before_it_is_made(cli: Cli):
    cli("run", "bot", "hello", "--id", "one", "--detach")

    ran = cli("context", "show", "one")

    assert "the next request, after event 1; not sent yet" in ran.err
    assert len(cli("threads", "show", "one", "--json").document["events"]) == 1


def test_context_without_a_model_call_exits_3(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    assert cli("context", "show", "one", "--at", "3").code == 3
    assert cli("context", "show", "one", "--at", "77").code == 3


def test_doctor_tells_how_things_stand(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("run", "bot", "hello", "--id", "two", "--detach")

    ran = cli("doctor")

    assert ran.code == 0
    assert "deploy high" in ran.out
    assert "ask_human, nap" in ran.out
    assert "no risk declared, which is low: ask_human" in ran.out
    assert str(folder / ".twelvefold" / "threads.db") in ran.out
    assert f"SQLite {sqlite3.sqlite_version}, journal mode wal, schema 1" in ran.out
    assert "nobody advances threads; 1 ask for it" in ran.out
    assert "1 for a human; the oldest, one.s1.1" in ran.out


def test_doctor_lists_what_ran_without_approval(cli: Cli, folder: Path):
    app = folder / "app.py"
    changed = app.read_text().replace("if not chosen.approved", "if chosen.attempts > 9")
    app.write_text(changed.replace("run(deploy, step)", 'run(deploy, step, ungated="a drill")'))
    cli("run", "bot", "deploy v1")

    assert "deploy ran 1 times without approval: a drill" in cli("doctor").out


def test_doctor_exits_6_when_an_agent_is_gone(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    app.write_text(app.read_text().replace('Agent("bot"', 'Agent("robot"'))

    ran = cli("doctor", "--json")

    assert ran.code == 6
    assert ran.document["ok"] is False
    (wrong,) = [one for one in ran.document["data"] if one["level"] == "wrong"]
    assert wrong["about"] == "agent bot"
    assert "one need it" in wrong["says"]


def test_doctor_still_reads_the_log_when_the_application_is_broken(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    (folder / "app.py").write_text("import nothing_of_this_name\n")

    ran = cli("doctor")

    assert ran.code == 6
    assert "nothing_of_this_name" in ran.out
    assert "1 waiting" in ran.out


def test_bare_twelvefold_says_what_to_do_next(cli: Cli, folder: Path):
    assert "twelvefold run AGENT INPUT" in cli().out
    assert not (folder / ".twelvefold").exists()

    cli("run", "bot", "deploy v1", "--id", "one")

    assert "twelvefold approve one" in cli().out
    assert cli("--json").document["threads"] == {"waiting": 1}


def test_on_a_terminal_no_escape_sequence_of_any_data_gets_through(cli: Cli, folder: Path):
    nasty = "\x1b[2J\u202e\u200b\x9b31m\x07\ufeff\U000e0041"
    cli("run", "bot", f"deploy v1{nasty}", "--id", "one")
    cli("run", "bot", f"ask {nasty}", "--id", "two")
    commands = ("inbox", "threads list", "threads show one", "threads export one", "inbox --json")

    for command in (*commands, "context show one", "", "doctor"):
        seen = shown_on_a_terminal(*command.split())

        ours = seen.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert seen
        assert not set(ours) & set(nasty.replace("[2J", "").replace("31m", ""))


def shown_on_a_terminal(*args: str) -> str:
    seen = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        seen.extend(data)
        return b""  # nothing of it reaches the terminal of whoever runs the tests

    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *args])
    try:
        while True:
            before = len(seen)
            read(master)
            if len(seen) == before:
                break
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(master)
    os.waitpid(pid, 0)
    return seen.decode()


def test_json_is_ascii_and_loses_nothing(cli: Cli):
    cli("run", "bot", "deploy v\u202e\ud83d\ude00", "--id", "one")

    out = cli("inbox", "--json").out

    assert out.isascii()
    assert json.loads(out)["data"][0]["args"]["tag"] == "v\u202e\U0001f600"
