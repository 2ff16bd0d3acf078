"""`twelvefold eval`: rates, threshold, cost, results, baseline, recording; of a model that errs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import Cli

from models.openai_replies import says
from models.server import Vendor

APP = Path(__file__).parents[2] / "examples/first_agent/app.py"
CASE = "- name: {}\n  agent: bot\n  thread: [message: deploy]\n  expect: {}\n"
V1 = CASE.format("keeps the tag", "{intent: deploy, args: {tag: v1}}")
DONE = CASE.format("is done", "{intent: done_for_now}")
ASKS = CASE.format("asks", "{effect: AskModel}")
REFUSED = CASE.format("refuses", "{refused: unknown_intent}")

LIVE = """
import itertools

from twelvefold import App, ScriptedModel
from twelvefold.exceptions import UnusableModel
from twelvefold.messages import ModelReply, Usage

import app as first


class Live:
    '''Errs at every n-th call. Each call costs a cent.'''

    def __init__(self, errs_at, cost=0.01):
        self.errs_at, self.cost, self.calls = errs_at, cost, itertools.count(1)

    async def __call__(self, request):
        tag = "v2" if next(self.calls) % self.errs_at == 0 else "v1"
        text = '{"intent": "deploy", "tag": "%s"}' % tag
        return ModelReply(text, usage=Usage(input=10, output=5, cost=self.cost), model="live-1")


class Keyless:
    async def __call__(self, request):
        raise UnusableModel("it needs a key: set A_KEY.")


class Down:
    async def __call__(self, request):
        raise ConnectionError("nobody answers")


models = {
    "half": Live(2),
    "good": Live(10**9),
    "free": Live(10**9, cost=0.0),
    "down": Down(),
    "keyless": Keyless(),
    "script": ScriptedModel(first.reply),
}
app = App(first.app.agents.values(), models=models)
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    shutil.copy(APP, folder / "app.py")
    (folder / "live.py").write_text(LIVE)
    return folder


def write(folder: Path, *cases: str) -> None:
    (folder / "bot.cases.yaml").write_text("".join(cases))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def evaluated(cli: Cli, *args: str, code: int) -> Any:
    ran = cli("eval", "--app", "live.py:app", "--json", *args)
    assert ran.code == code, ran.err
    return ran.document


def test_a_case_that_passes_often_enough_is_0(cli: Cli, folder: Path):
    write(folder, V1, ASKS)

    ran = cli(
        "eval", "--app", "live.py:app", "--model", "half", "--runs", "4", "--threshold", "0.5"
    )
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "ok    0.50  2/4  bot.cases.yaml:1  keeps the tag",
        "      2x args.tag",
        "           - expected  v1",
        "           + got       v2",
        "ok    1.00  1/1  bot.cases.yaml:5  asks",
    ]
    assert ran.err.endswith("2 cases: 2 passed, 0 failed  (threshold 0.5, 5 runs)  $0.0400\n")


def test_the_last_line_says_how_many_cases_failed(cli: Cli, folder: Path):
    write(folder, V1, ASKS)

    ran = cli("eval", "--app", "live.py:app", "--model", "half", "--runs", "4")

    assert ran.code == 1
    assert ran.err.endswith("2 cases: 1 passed, 1 failed  (threshold 0.9, 5 runs)  $0.0400\n")


def test_below_the_threshold_is_1(cli: Cli, folder: Path):
    write(folder, V1)

    document = evaluated(cli, "--model", "half", "--runs", "4", code=1)
    [row] = document["data"]
    assert (row["rate"], row["below"], row["runs"]) == (0.5, True, 4)
    assert list(row["complaints"].values()) == [2]


def test_the_model_may_be_the_scripted_one_and_costs_nothing(cli: Cli, folder: Path):
    write(folder, V1)

    document = evaluated(cli, "--model", "script", "--max-cost", "0", code=0)
    assert (document["cost"], document["runs"]) == (0.0, 5)


def test_a_model_that_fails_fails_its_runs(cli: Cli, folder: Path):
    write(folder, V1)

    document = evaluated(cli, "--model", "down", "--runs", "2", code=1)
    assert document["data"][0]["complaints"] == {"ConnectionError: nobody answers": 2}


def test_a_model_without_a_key_ends_it_and_says_what_to_do(cli: Cli, folder: Path):
    write(folder, V1)

    ran = cli("eval", "--app", "live.py:app", "--model", "keyless")
    said = "error: it needs a key: set A_KEY.\nnext:  the same command, once that is done\n"
    assert (ran.code, ran.err) == (6, said)


def test_a_model_that_is_not_there_is_6(cli: Cli, folder: Path):
    write(folder, V1)

    assert cli("eval", "--app", "live.py:app", "--model", "gpt").code == 6


def test_no_call_begins_that_could_go_beyond_the_cost(cli: Cli, folder: Path):
    write(folder, V1, DONE)

    document = evaluated(cli, "--model", "good", "--max-cost", "0.035", code=1)
    assert document["runs"] == 3
    assert document["cost"] == pytest.approx(0.03)
    assert document["stopped"] == (
        "0.0300 of 0.0350 dollars are spent, and a call costs up to 0.0100"
    )
    ran = cli("eval", "--app", "live.py:app", "--model", "good", "--max-cost", "0.035")
    assert "stopped before --max-cost: 0.0300 of 0.0350 dollars" in ran.err
    assert "(threshold 0.9, only 3 of 10 runs were made)" in ran.err


def test_a_cost_that_is_not_known_cannot_be_limited(cli: Cli, folder: Path):
    write(folder, V1)

    ran = cli("eval", "--app", "live.py:app", "--model", "free", "--max-cost", "1")
    assert ran.code == 6
    assert "The cost of live-1 is not known" in ran.err
    assert "no price is known for the model 'live-1'" in ran.err


def test_each_run_is_a_line_of_the_results(cli: Cli, folder: Path):
    write(folder, V1, ASKS)

    evaluated(cli, "--model", "half", "--runs", "2", "--out", "r.jsonl", code=1)
    found = rows(folder / "r.jsonl")
    assert [row["schema"] for row in found] == ["twelvefold.run/1"] * 3
    assert sorted((row["case"], row["run"]) for row in found) == [
        ("asks", 1),
        ("keeps the tag", 1),
        ("keeps the tag", 2),
    ]
    asked = [row for row in found if row["case"] == "keeps the tag"]
    assert {row["passed"] for row in asked} == {True, False}
    assert asked[0]["usage"] == {"input": 10, "output": 5, "cost": 0.01}
    assert len(asked[0]["prompt"]) == 64
    assert asked[0]["reply"].startswith('{"intent"')


def test_the_baseline_says_what_got_better_new_and_gone(cli: Cli, folder: Path):
    for case in (V1, ASKS):  # the second evaluation is appended to the first
        write(folder, case)
        evaluated(cli, "--model", "half", "--runs", "2", "--out", "before.jsonl", code=case == V1)
    write(folder, V1, DONE)

    args = ["--model", "good", "--runs", "2", "--baseline", "before.jsonl"]
    assert cli("eval", "--app", "live.py:app", *args).out.splitlines()[-3:] == [
        "better  0.50 -> 1.00  bot.cases.yaml::keeps the tag",
        "new     - -> 0.00  bot.cases.yaml::is done",
        "gone    1.00 -> -  bot.cases.yaml::asks",
    ]


def test_the_baseline_says_what_got_worse_with_both_rates(cli: Cli, folder: Path):
    write(folder, V1)
    evaluated(cli, "--model", "good", "--runs", "2", "--out", "before.jsonl", code=0)

    args = ["--model", "half", "--runs", "2", "--baseline", "before.jsonl"]
    assert evaluated(cli, *args, code=1)["changes"] == [
        {"case": "bot.cases.yaml::keeps the tag", "before": 1.0, "now": 0.5, "change": "worse"}
    ]


def test_a_case_that_was_not_asked_is_not_gone(cli: Cli, folder: Path):
    write(folder, V1, ASKS)
    evaluated(cli, "--model", "good", "--runs", "1", "--out", "before.jsonl", code=0)

    args = ["--model", "good", "--runs", "1", "--baseline", "before.jsonl", "--only", "tag"]
    assert evaluated(cli, *args, code=0)["changes"] == []


def test_cases_are_listed_in_the_order_of_their_file(cli: Cli, folder: Path):
    write(folder, V1, DONE, ASKS)

    found = evaluated(cli, "--model", "half", "--runs", "2", code=1)["data"]
    assert [row["line"] for row in found] == sorted(row["line"] for row in found)


@pytest.mark.parametrize("text", [None, "{}\n", "no json\n"])
def test_a_baseline_that_is_none_is_2(cli: Cli, folder: Path, text: str | None):
    write(folder, V1)
    if text is not None:
        (folder / "b.jsonl").write_text(text)

    ran = cli("eval", "--app", "live.py:app", "--baseline", "b.jsonl")
    assert ran.code == 2
    assert "b.jsonl" in ran.err


def test_what_a_reply_was_refused_for_is_not_asked_of_a_model(cli: Cli, folder: Path):
    write(folder, V1, REFUSED)

    assert [row["case"] for row in evaluated(cli, "--model", "good", code=0)["data"]] == [
        "keeps the tag"
    ]


def test_a_recorded_reply_is_what_test_reads(cli: Cli, folder: Path):
    write(folder, V1)
    evaluated(cli, "--model", "good", "--runs", "3", "--record", code=0)
    assert len(rows(folder / "bot.replies.jsonl")) == 1

    ran = cli("test", "--app", "live.py:app")
    assert ran.code == 0
    assert ran.out.endswith('deploy {"tag":"v1"}  (recording)\n')


def test_a_recording_of_another_prompt_says_what_differs(cli: Cli, folder: Path):
    write(folder, V1)
    evaluated(cli, "--model", "good", "--record", code=0)
    write(folder, V1.replace("message: deploy", "message: deploy it now"))

    ran = cli("test", "--app", "live.py:app")
    assert ran.code == 1
    assert "      -deploy\n      +deploy it now\n" in ran.out
    assert evaluated(cli, "--model", "good", "--record", code=0)["runs"] == 5
    assert cli("test", "--app", "live.py:app").code == 0


def test_a_hash_of_other_bytes_does_not_matter_to_a_live_model(cli: Cli, folder: Path):
    write(folder, V1 + f"  prompt: {'f' * 64}\n")

    evaluated(cli, "--model", "good", code=0)


OVER_HTTP = """
from twelvefold import App
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.priced import priced

import app as first

model = priced(OpenAIModel("gpt-5", base_url="{url}", api_key="k"), name="gpt-5")
app = App(first.app.agents.values(), model=model)
"""


def test_a_server_is_asked_through_the_vendors_own_sdk(cli: Cli, folder: Path):
    vendor = Vendor()
    good, wrong = '{"intent":"deploy","tag":"v1"}', '{"intent":"deploy","tag":"v2"}'
    vendor.will(says(good), says(wrong), says("I will deploy."), says(good))
    (folder / "http.py").write_text(OVER_HTTP.format(url=vendor.url))
    write(folder, V1)
    args = ["--runs", "4", "--at-once", "1", "--max-cost", "1", "--out", "r.jsonl", "--record"]

    ran = cli("eval", "--app", "http.py:app", "--json", *args)
    vendor.close()
    assert ran.code == 1, ran.err
    [row] = ran.document["data"]
    assert (row["runs"], row["passed"]) == (4, 2)
    assert any(said.startswith("reply\n") for said in row["complaints"])
    assert ran.document["cost"] == pytest.approx(4 * 0.000353)
    assert [body["model"] for body in vendor.bodies] == ["gpt-5"] * 4
    assert [row["usage"]["cache_read"] for row in rows(folder / "r.jsonl")] == [64] * 4
    assert cli("test", "--app", "http.py:app").code == 0  # the server is gone: it is replayed


def test_a_key_that_is_missing_ends_the_evaluation(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    source = OVER_HTTP.replace(', base_url="{url}", api_key="k"', "")
    (folder / "http.py").write_text(source)
    write(folder, V1)

    ran = cli("eval", "--app", "http.py:app")
    assert ran.code == 6
    assert "OPENAI_API_KEY" in ran.err
