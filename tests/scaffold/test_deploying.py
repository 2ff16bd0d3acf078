"""Dockerfile and compose.yaml of the templates: what the containers run, run here on Postgres.

No Docker is needed: images, volumes and networks are not tried.
"""

import re
import shlex
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from installed import PATIENCE_S, ROOT, Machine
from twelvefold.cli.root import COMMANDS
from twelvefold.scaffold.new import TEMPLATES, Template

FOLDERS = sorted((ROOT / "src/twelvefold/scaffold/templates").iterdir())
NAMES = [path.name for path in FOLDERS]


def compose(template: Path) -> dict[str, Any]:
    return yaml.safe_load((template / "compose.yaml").read_text())


def default_command(template: Path) -> list[str]:
    """What the image runs when nothing else is said."""
    found = re.search(r"^CMD (\[.*\])$", (template / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return yaml.safe_load(found[1])


def commands(template: Path) -> dict[str, list[str]]:
    """By the name of the service, for those that run our image."""
    services = compose(template)["services"]
    return {
        name: shlex.split(one["command"]) if "command" in one else default_command(template)
        for name, one in services.items()
        if "build" in one
    }


@pytest.mark.parametrize("template", FOLDERS, ids=NAMES)
def test_the_log_is_in_postgres_and_a_server_and_a_worker_use_it(template: Path):
    found = compose(template)
    ours = commands(template)

    assert ours["migrate"] == ["twelvefold", "db", "migrate"]
    assert "worker" in ours
    assert len(ours) == 3
    for name in ours:
        service = found["services"][name]
        assert service["environment"]["TWELVEFOLD_STORE"].startswith("postgresql://")
        assert service["depends_on"].keys() <= {"db", "migrate"}
    for program, word, *_ in ours.values():
        assert program == "uvicorn" or word in COMMANDS


@pytest.mark.parametrize("template", FOLDERS, ids=NAMES)
def test_only_this_machine_reaches_a_port_and_no_secret_is_written_down(template: Path):
    found = compose(template)
    ports = [port for one in found["services"].values() for port in one.get("ports", ())]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    secrets = [v for one in found["services"].values() for v in one["environment"].items()]
    assert all(value.startswith("${") for name, value in secrets if name.endswith("_KEY"))


@pytest.mark.parametrize("template", FOLDERS, ids=NAMES)
def test_what_containers_stop_with_is_more_than_what_tools_get(template: Path):
    worker = compose(template)["services"]["worker"]
    grace = re.search(r"--grace (\d+)", worker["command"])

    assert grace
    assert int(worker["stop_grace_period"].removesuffix("s")) > int(grace[1])


@pytest.mark.parametrize("template", FOLDERS, ids=NAMES)
def test_the_image_is_not_root_and_brings_no_local_files(template: Path):
    dockerfile = (template / "Dockerfile").read_text()
    left_out = (template / ".dockerignore").read_text().split()

    assert "\nUSER agent\n" in dockerfile
    assert "--group deploy" in dockerfile
    assert {".git", ".venv", ".env", ".twelvefold"} <= set(left_out)


@pytest.mark.long
def test_what_compose_runs_takes_a_thread_to_its_end(
    project: Path, template: str, wheeled: Machine, empty_postgres_url: str
):
    found = next(path for path in FOLDERS if path.name == template)
    ours = commands(found)
    env = {name: "" for name in compose(found)["x-agent"]["environment"]}
    env |= {"TWELVEFOLD_STORE": empty_postgres_url, "ORDERS": str(project / "orders.db")}
    env["TWELVEFOLD_ENGINE"] = compose(found)["x-agent"]["environment"].get(
        "TWELVEFOLD_ENGINE", "embedded"
    )

    def done(*command: str) -> str:
        ran = wheeled.run(project, *command, env=env)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    done(*ours["migrate"])
    create = "twelvefold keys create anna --scope all --person anna"
    assert create in (found / "compose.yaml").read_text()
    key = re.search(r"tf_\S+", done(*create.split()))
    assert key

    with ExitStack() as stack:
        url, prefix = stack.enter_context(serving(wheeled, project, ours, env))
        worker = (*ours["worker"], "--json")
        stack.enter_context(wheeled.running(project, *worker, env=env))
        signed = {"Authorization": f"Bearer {key[0]}"}
        client = httpx.Client(base_url=url + prefix, headers=signed, timeout=PATIENCE_S)
        stack.enter_context(client)
        assert finished(client, TEMPLATES[template])


def finished(client: httpx.Client, template: Template) -> bool:
    """Whether a thread ends, when everything that it asks for is approved."""
    body = {"agent": template.agent, "input": template.text}
    thread = client.post("/v1/threads?wait_s=30", json=body).json()
    while thread["waits"]:
        name = thread["waits"][0]["name"]
        contact = client.get(f"/v1/contacts/{name}").json()
        yes = {"decision": "approve", "digest": contact["digest"]}
        answer = client.post(f"/v1/contacts/{name}/answer?wait_s=30", json=yes)
        assert answer.status_code == 200, answer.text
        thread = client.get(f"/v1/threads/{thread['id']}").json()
    return thread["status"] == "finished"


@contextmanager
def serving(
    wheeled: Machine, project: Path, ours: dict[str, list[str]], env: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """The service that people reach; where it is, and below which path."""
    if "serve" in ours:
        command = (*ours["serve"], "--port", "0", "--json")
        with wheeled.running(project, *command, env=env) as line:
            port = yaml.safe_load(line)["url"].rpartition(":")[2]
            yield f"http://127.0.0.1:{port}", ""
        return
    free = socket.create_server(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    given = [port if word == "8000" else word for word in ours["api"]]
    with wheeled.running(project, *given, env=env, first="Uvicorn running"):
        yield f"http://127.0.0.1:{port}", "/agents"
