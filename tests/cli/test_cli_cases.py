"""`twelvefold test`, and cases made by `threads export`."""

import re
import shutil
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from commands import Cli

from twelvefold.cli.root import root

APP = Path(__file__).parents[2] / "examples/first_agent/app.py"
HEAD = "- name: {}\n  agent: bot\n  thread: [message: deploy]\n"
GOOD = HEAD.format("deploys v1") + "  expect: {intent: deploy, args: {tag: v1}}\n"
BAD = HEAD.format("deploys v9") + "  expect: {args: {tag: v9}}\n"
ASKS = HEAD.format("asks") + "  expect: {effect: AskModel}\n"

LIVE = """
import app as first
from twelvefold.messages import ModelReply


class Live:
    async def __call__(self, request):
        return ModelReply('{"intent": "deploy", "tag": "v1"}')


first.app.models = {"default": Live()}
app = first.app
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    shutil.copy(APP, folder / "app.py")
    return folder


def cases(folder: Path, text: str, name: str = "bot.cases.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_each_case_is_a_line_and_all_that_pass_is_0(cli: Cli, folder: Path):
    cases(folder, GOOD + ASKS)

    ran = cli("test")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        'ok    bot.cases.yaml:1  deploys v1  deploy {"tag":"v1"}  (script)',
        "ok    bot.cases.yaml:5  asks  AskModel",
    ]
    assert ran.err == "2 cases: 2 passed, 0 failed\n"


def test_a_failed_case_shows_the_difference_and_is_1(cli: Cli, folder: Path):
    cases(folder, GOOD + BAD)

    ran = cli("test")
    assert ran.code == 1
    assert ran.out.splitlines()[1:] == [
        "FAIL  bot.cases.yaml:5  deploys v9",
        "      args.tag",
        "        - expected  v9",
        "        + got       v1",
        "      the reply was",
        '        {"intent":"deploy","tag":"v1"}',
    ]


def test_json_is_one_document(cli: Cli, folder: Path):
    cases(folder, GOOD + BAD)

    document = cli("test", "--json").document
    assert document["schema"] == "twelvefold.test/1"
    assert (document["passed"], document["failed"]) == (1, 1)
    assert [row["source"] for row in document["data"]] == ["script", "script"]
    assert document["data"][0]["found"] == {"intent": "deploy", "args": {"tag": "v1"}}
    assert document["data"][1]["complaints"][0].startswith("args.tag")


def test_a_wrong_file_is_2_and_says_its_line(cli: Cli, folder: Path):
    cases(folder, "- name: a\n  thred: []\n")

    ran = cli("test")
    assert (ran.code, ran.out) == (2, "")
    assert "bot.cases.yaml, line 2, case 'a': 'thred' is not one of" in ran.err


@pytest.mark.parametrize("args", [[], ["--only", "nothing"], ["nowhere"], ["."]])
def test_no_case_at_all_is_3(cli: Cli, folder: Path, args: list[str]):
    if "--only" in args:
        cases(folder, GOOD)

    ran = cli("test", *args)
    assert ran.code == 3
    assert "There is no" in ran.err


def test_an_agent_that_is_not_there_is_6(cli: Cli, folder: Path):
    cases(folder, GOOD.replace("agent: bot", "agent: nobody"))

    assert cli("test").code == 6


def test_files_folders_and_names_choose_cases(cli: Cli, folder: Path):
    cases(folder, GOOD)
    inner = cases(folder, ASKS, "prompts/inner.cases.yaml")
    cases(folder, BAD, ".hidden/no.cases.yaml")
    cases(folder, BAD, "node_modules/no.cases.yaml")

    assert len(cli("test").out.splitlines()) == 2
    assert cli("test", "prompts").out == "ok    prompts/inner.cases.yaml:1  asks  AskModel\n"
    assert cli("test", str(inner)).out == cli("test", "--only", "asks").out


def test_without_a_recorded_reply_no_network_is_reached(cli: Cli, folder: Path):
    (folder / "live.py").write_text(LIVE)
    cases(folder, GOOD + ASKS)

    ran = cli("test", "--app", "live.py:app")
    assert ran.code == 1
    assert "no reply is recorded, and Live would be asked over a network" in ran.out
    assert "1 passed, 1 failed" in ran.err


def test_what_decide_raises_is_a_failed_case(cli: Cli, folder: Path):
    path = folder / "app.py"
    path.write_text(path.read_text().replace("    for chosen in state.ready:", "    1 / 0"))
    path.write_text(
        re.sub(r"(?s)        match chosen.*?\n    return Wait", "    return Wait", path.read_text())
    )
    cases(folder, ASKS)

    ran = cli("test")
    assert ran.code == 1
    assert "ZeroDivisionError: division by zero" in ran.out


# Recorded threads as cases


def test_an_exported_case_passes_at_once(cli: Cli, folder: Path):
    cli("run", "bot", "deploy", "--id", "t1")
    cli("deny", "t1", "--as", "anna", "--comment", "use v2")
    for at in ("2", "6"):
        ran = cli("threads", "export", "t1", "--format", "case", "--at", at, "--name", f"at {at}")
        assert ran.code == 0, ran.err
        with (folder / "bot.cases.yaml").open("a") as file:
            file.write(ran.out)

    ran = cli("test")
    assert ran.code == 0, ran.out
    assert [line.split("  ")[3:] for line in ran.out.splitlines()] == [
        ["at 2", 'deploy {"tag":"v1"}', "(case)"],
        ["at 6", 'deploy {"tag":"v2"}', "(case)"],
    ]


def test_a_case_may_name_an_exported_file(cli: Cli, folder: Path):
    cli("run", "bot", "deploy", "--id", "t1")
    cli("threads", "export", "t1", "--at", "1", "--out", "t1.jsonl")
    cases(
        folder, "- name: a\n  thread: t1.jsonl\n  expect: {intent: deploy, then: Approve deploy}\n"
    )

    assert cli("test").code == 0
    assert len((folder / "t1.jsonl").read_text().splitlines()) == 1
    assert cli("threads", "export", "t1", "--at", "99").code == 3


def test_a_changed_prompt_fails_the_case_until_it_is_accepted(cli: Cli, folder: Path):
    cli("run", "bot", "deploy", "--id", "t1")
    cli("threads", "export", "t1", "--format", "case", "--at", "2", "--out", "bot.cases.yaml")
    path = folder / "app.py"
    path.write_text(
        path.read_text().replace(
            "AskModel(render(thread)", "AskModel('Be quick.\\n' + render(thread)"
        )
    )

    ran = cli("test")
    assert ran.code == 1
    assert "The model would read other bytes today than were kept." in ran.out
    before = (folder / "bot.cases.yaml").read_text()
    ran = cli("test", "--accept-prompts")
    assert ran.code == 0, ran.out
    assert "accepted: 1" in ran.err
    after = (folder / "bot.cases.yaml").read_text()
    lines = zip(before.split("\n"), after.split("\n"), strict=True)
    changed = [new for old, new in lines if old != new]
    assert len(changed) == 1
    assert changed[0].startswith("  prompt: ")
    assert cli("test").code == 0


def test_a_prompt_may_be_kept_as_a_snapshot_that_shows_every_byte(cli: Cli, folder: Path):
    cases(folder, ASKS + "  prompt: asks.snap\n" + GOOD)

    assert "There is no asks.snap: twelvefold test --accept-prompts writes it" in cli("test").out
    assert cli("test", "--accept-prompts").code == 0
    kept = (folder / "asks.snap").read_text()
    assert kept.startswith("--- user\n<user_message>\ndeploy\n</user_message>\n")
    assert cli("test").code == 0

    (folder / "asks.snap").write_text(kept.replace("\ndeploy\n", "\ndeploi\n"))
    ran = cli("test")
    assert ran.code == 1
    assert "        -deploi\n        +deploy\n" in ran.out


def test_a_fact_that_cannot_happen_any_more_fails_its_case_alone(cli: Cli, folder: Path):
    facts = "- name: yes\n  thread: [message: deploy, approved]\n  expect: {waits: true}\n"
    cases(folder, GOOD + facts)

    ran = cli("test")
    assert ran.code == 1
    assert "1 passed, 1 failed" in ran.err
    assert "bot.cases.yaml, line 6, case 'yes': approved: nobody is asked anything here" in ran.out
    ran = cli("eval", "--runs", "1")
    assert (ran.code, "2 cases: 1 passed, 1 failed" in ran.err) == (1, True)
    assert "0/1  bot.cases.yaml:5  yes" in ran.out


def test_checking_writes_nothing(cli: Cli, folder: Path):
    cases(folder, GOOD)
    before = sorted(folder.rglob("*"))

    assert cli("test").code == cli("eval", "--runs", "1").code == 0
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "found"), [("te", "test"), ("ev", "eval"), ("test --on", "--only")]
)
def test_the_shell_completes_them(cli: Cli, words: str, found: str):
    *args, incomplete = words.split()
    complete = ShellComplete(root(), {}, "twelvefold", "_TWELVEFOLD_COMPLETE")

    assert found in [item.value for item in complete.get_completions(args, incomplete)]
