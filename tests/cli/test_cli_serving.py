"""`twelvefold serve` and `dev` as real processes: they say where they are, and end when told."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import APPS, Cli

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 120


class Server:
    """A server whose lines can be read."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def says(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server ended"
        return json.loads(line)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def client(self, url: str) -> httpx.Client:
        return httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S)


@contextmanager
def server(*args: str) -> Generator[Server]:
    command = [sys.executable, "-c", MAIN, *args, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Server(process)
    finally:
        if process.poll() is None:  # `dev` ends what it started
            process.terminate()
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(autouse=True)
def application(folder: Path) -> None:
    shutil.copy(APPS / "working.py", folder / "app.py")
    os.mkfifo(folder / "gate")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_stop_and_ends_its_streams(number: signal.Signals):
    with server("serve", "--port", "0") as serves:
        said = serves.says()
        with serves.client(said["url"]) as client:
            thread = client.post("/v1/threads", json={"agent": "bot", "input": "x"}).json()
            events = f"/v1/threads/{thread['id']}/events"
            stream = client.stream("GET", events, headers={"Accept": "text/event-stream"})
            with stream as answer:
                lines = answer.iter_lines()
                assert next(line for line in lines if line.startswith("id:")) == "id: 1"
                code = serves.stop(number)
                rest = list(lines)
        last = serves.says()

    assert said | {"url": ""} == {
        "schema": "twelvefold.serve/1",
        "state": "serving",
        "url": "",
        "runner": False,
    }
    assert any(line.startswith(": the server stops") for line in rest)
    assert (code, last["state"]) == (0, "stopped")


def test_with_a_runner_it_advances_threads_and_finishes_the_requests_that_wait():
    with server("serve", "--port", "0", "--runner") as serves:
        with serves.client(serves.says()["url"]) as client:
            body = {"agent": "bot", "input": "x"}
            thread = client.post("/v1/threads?wait_s=30", json=body).json()
        code = serves.stop()

    assert (thread["status"], code) == ("finished", 0)


def test_two_servers_cannot_have_one_port(cli: Cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in ("serve", "dev"):
            refused = cli(command, "--port", str(port))

            assert refused.code == 6
            assert f"127.0.0.1:{port} cannot be listened at: Address already in use" in refused.err
            assert "--port" in refused.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_it_is_not_open_to_other_machines_while_anybody_could_be_anybody(host: str, cli: Cli):
    refused = cli("serve", "--host", host)

    assert refused.code == 6
    assert "twelvefold keys create" in refused.err


def test_with_a_key_it_may_be_reached_from_other_machines(cli: Cli):
    assert cli("keys", "create", "ci", "--scope", "threads:read").code == 0
    with server("serve", "--host", "0.0.0.0", "--port", "0") as serves:
        port = serves.says()["url"].rpartition(":")[2]
        with serves.client(f"http://127.0.0.1:{port}") as client:
            refused = client.get("/v1/threads")
        code = serves.stop()

    assert (refused.status_code, code) == (401, 0)


def test_an_application_that_is_broken_is_one_sentence(cli: Cli, folder: Path):
    (folder / "app.py").write_text("import nothing_of_this_name\n")
    refused = cli("serve", "--port", "0")

    assert refused.code == 6
    assert "nothing_of_this_name" in refused.err
    assert "Traceback" not in refused.err


def test_without_the_extra_it_says_what_to_install(folder: Path):
    code = f"import sys; sys.modules['uvicorn'] = None; {MAIN}"
    command = [sys.executable, "-c", code, "serve"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)

    assert refused.returncode == 6
    assert "pip install 'twelvefold[server]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_dev_signs_in_once_by_its_link_and_nobody_without():
    with server("dev", "--port", "0", "--no-reload", "--as", "anna") as serves:
        said = serves.says()
        with serves.client(said["url"]) as stranger, serves.client(said["url"]) as anna:
            refused = stranger.get("/v1/threads")
            page = anna.get(said["sign_in"], follow_redirects=True)
            seen = anna.get("/v1/contacts?to=me")
            late = stranger.get(said["sign_in"], follow_redirects=True)
        code = serves.stop()

    assert said["sign_in"].startswith(said["url"] + "/sign-in?token=")
    assert (page.status_code, page.url.path, seen.status_code) == (200, "/inbox", 200)
    assert "anna" in page.text
    assert (refused.status_code, late.status_code, code) == (401, 401, 0)


def test_dev_starts_anew_when_a_file_changes_and_waits_while_it_is_broken(folder: Path):
    free = socket.create_server(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    whole = (folder / "app.py").read_text()
    with server("dev", "--port", port) as develops:
        said = [develops.says()["state"]]
        (folder / "app.py").write_text("broken(\n")
        said += [develops.says()["state"] for _ in range(3)]
        (folder / "app.py").write_text(whole + "\n")
        said += [develops.says()["state"] for _ in range(1)]
        code = develops.stop()

    assert said == ["serving", "stopped", "changed", "failed", "serving"]
    assert code == 0
