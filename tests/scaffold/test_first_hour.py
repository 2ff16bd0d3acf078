"""What a person does next with a new project, as its README says: each step is one or two edits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed import Machine
from twelvefold.scaffold.new import TEMPLATES, create
from web_thread import Answering, web_thread

STEP = {"intent": "deploy_backend", "tag": "v1.3.2"}
TOOL = """

class Restart(Step):
    risk: ClassVar = "medium"
    intent: Literal["restart"] = "restart"
    what: str


def restart(step: Restart, call: Call[Cluster]) -> str:
    return f"{step.what} is restarted"
"""
CASE = """
        case Restart() as step if not chosen.approved:
            return Approve(step, by=OPS, within=DAY)
        case Restart() as step:
            return run(restart, step)
        case RequestHumanInput() as step:"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    create(tmp_path / "bot", "deploybot")
    return tmp_path / "bot"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.fixture
def vendor() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers as OpenAI does, always with the same step; its URL, and what came."""
    asked: list[dict[str, Any]] = []

    class Answers(Answering):
        def do_POST(self) -> None:
            asked.append(json.loads(self.body()))
            message = {"role": "assistant", "content": json.dumps(STEP)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            about = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
            self.say(200, {**about, "choices": [choice], "usage": usage})

    with web_thread(Answers) as port:
        yield f"http://127.0.0.1:{port}/v1", asked


def test_a_real_model_is_one_line(
    mine: Path, wheeled: Machine, vendor: tuple[str, list[dict[str, Any]]]
):
    change(mine / "app.py", 'MODEL = "script"', 'MODEL = "openai"')
    url, asked = vendor
    env = {"OPENAI_API_KEY": "sk-of-a-test", "OPENAI_BASE_URL": url}

    ran = wheeled.run(mine, "twelvefold", "run", "deploybot", "deploy v1.3.2", env=env)

    assert ran.returncode == 10, ran.stderr
    assert 'deploy_backend         {"tag":"v1.3.2"}  waits for approval' in ran.stdout
    [request] = asked
    prompt = (mine / "prompts/next_step.md").read_text()
    assert request["messages"][0]["content"] in prompt
    tests = wheeled.run(mine, "pytest", "-q", "prompts", "tests/test_runs.py")
    assert tests.returncode == 0, tests.stdout  # offline as before


@pytest.mark.parametrize("template", TEMPLATES)
def test_its_tests_need_no_key_whichever_model_it_asks(
    template: str, wheeled: Machine, tmp_path: Path
):
    create(tmp_path / "bot", template)
    change(tmp_path / "bot" / "app.py", 'MODEL = "script"', 'MODEL = "openai"')

    none = {"OPENAI_API_KEY": ""}
    tests = ("pytest", "-q", "--deselect", "tests/test_proofs.py")
    ran = wheeled.run(tmp_path / "bot", *tests, env=none)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_server_of_ones_own_is_the_line_that_each_readme_shows(
    mine: Path, wheeled: Machine, vendor: tuple[str, list[dict[str, Any]]], tmp_path: Path
):
    url, asked = vendor
    line = shown_server(mine)
    for template in TEMPLATES:
        create(tmp_path / template, template)
        assert shown_server(tmp_path / template) == line
    there = re.sub(r'base_url="[^"]*"', f'base_url="{url}"', line)
    change(mine / "app.py", "MODELS = {\n", f"MODELS = {{\n    {there}\n")
    change(mine / "app.py", 'MODEL = "script"', 'MODEL = "local"')

    ran = wheeled.run(mine, "twelvefold", "run", "deploybot", "deploy v1.3.2")

    assert ran.returncode == 10, ran.stderr
    assert [request["model"] for request in asked] == ["qwen3"]
    doctor = wheeled.run(mine, "twelvefold", "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def shown_server(project: Path) -> str:
    [line] = re.findall(r'^    ("local": .*)$', (project / "README.md").read_text(), re.MULTILINE)
    return line


def test_without_its_key_a_real_model_says_what_to_do(mine: Path, wheeled: Machine):
    change(mine / "app.py", 'MODEL = "script"', 'MODEL = "openai"')

    ran = wheeled.run(mine, "twelvefold", "run", "deploybot", "x", env={"OPENAI_API_KEY": ""})

    assert ran.returncode == 1
    assert "OPENAI_API_KEY" in ran.stdout + ran.stderr
    assert "twelvefold retry" in ran.stdout + ran.stderr


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mistyped_model_is_told_which_there_are(tmp_path: Path, wheeled: Machine, template: str):
    create(tmp_path / "bot", template)
    change(tmp_path / "bot" / "app.py", 'MODEL = "script"', 'MODEL = "opnai"')

    ran = wheeled.run(tmp_path / "bot", "twelvefold", "stats")

    assert ran.returncode == 6
    assert "no model 'opnai'; it has: script, openai, anthropic" in ran.stderr
    assert "KeyError" not in ran.stderr


def test_what_happened_becomes_a_test(mine: Path, wheeled: Machine):
    wheeled.run(mine, "twelvefold", "run", "deploybot", "deploy the newest release")
    export = ("threads", "export", "@last", "--format", "case", "--at", "5")
    [line] = [one for one in (mine / "README.md").read_text().splitlines() if "export" in one]
    assert " ".join(export) in line

    case = wheeled.run(mine, "twelvefold", *export)
    (mine / "prompts/mine.cases.yaml").write_text(case.stdout)

    tests = wheeled.run(mine, "pytest", "-q", "prompts/mine.cases.yaml")
    assert tests.returncode == 0, tests.stdout
    assert "intent: deploy_frontend" in case.stdout
    change(mine / "prompts/next_step.md", "You deploy", "You sometimes deploy")
    assert wheeled.run(mine, "pytest", "-q", "prompts/mine.cases.yaml").returncode == 1


def add_restart(mine: Path) -> None:
    """A step of the union, without a `case`."""
    (mine / "tools.py").write_text((mine / "tools.py").read_text() + TOOL)
    change(mine / "agent.py", "import DeployBackend,", "import Restart, restart, DeployBackend,")
    change(mine / "agent.py", "DeployFrontend | Request", "DeployFrontend | Restart | Request")


def add_example(mine: Path) -> None:
    tests = mine / "tests/test_decide.py"
    change(tests, "import DeployBackend,", "import Restart, DeployBackend,")
    change(tests, "EXAMPLES = [", 'EXAMPLES = [\n    Restart(what="the backend"),')


def test_a_tool_of_ones_own_without_a_case_is_found_by_the_tests(mine: Path, wheeled: Machine):
    tests = ("pytest", "-q", "tests/test_decide.py")
    add_restart(mine)

    unknown = wheeled.run(mine, *tests)
    assert "1 failed" in unknown.stdout
    assert "tools.Restart" in unknown.stdout

    add_example(mine)
    without = wheeled.run(mine, *tests)
    assert "1 failed" in without.stdout
    assert re.search(r"step s\d restart was ready: give it a `case`", without.stdout)

    change(mine / "agent.py", "\n        case RequestHumanInput() as step:", CASE)
    assert wheeled.run(mine, *tests).returncode == 0


@pytest.mark.long
def test_a_tool_of_ones_own_without_a_case_is_found_by_pyright(mine: Path, wheeled: Machine):
    pyright = ("pyright", "--pythonpath", str(wheeled.bin / "python"))
    add_restart(mine)

    found = wheeled.run(mine, *pyright)
    assert found.returncode == 1
    assert "Restart" in found.stdout

    change(mine / "agent.py", "\n        case RequestHumanInput() as step:", CASE)
    add_example(mine)
    assert wheeled.run(mine, *pyright).returncode == 0
    tests = wheeled.run(mine, "pytest", "-q", "--deselect", "tests/test_proofs.py")
    assert tests.returncode == 0, tests.stdout
