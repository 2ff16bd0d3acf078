"""`twelvefold demo`, as a process: answered by nobody, by a script, by a terminal, and killed."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CALL = "import sys; sys.argv[0] = 'twelvefold'; from twelvefold.cli import main; main()"
TWELVEFOLD = [sys.executable, "-c", CALL]
PAGE = "deny:can you deploy the backend first?,approve,approve"
TIMEOUT_S = 120


def demo(folder: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the demo without a terminal."""
    return run(folder, "demo", *options, **env)


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TWELVEFOLD, *words],
        cwd=folder,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def timeline(said: str) -> list[str]:
    """Who chose what, and what became of it, without times."""
    lines = said.split("timeline\n")[1].split("\n\n")[0].splitlines()
    return [" ".join(line.split()[1:]) for line in lines]


SHIPPED = [
    "code deploy_staging 4af9ec0 4af9ec0 is deployed",
    "code run_e2e staging 42 passed",
    "model deploy_frontend_to_prod 4af9ec0 denied by anna: can you deploy the backend first?",
    "model deploy_backend_to_prod 4af9ec0 4af9ec0 is deployed",
    "model deploy_frontend_to_prod 4af9ec0 4af9ec0 is deployed",
    "model done_for_now The release is live.",
    "code run_e2e production 42 passed",
]


def test_without_a_terminal_it_takes_the_answers_of_the_page(tmp_path: Path):
    ended = demo(tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert timeline(ended.stdout) == SHIPPED
    assert "The release is live. End-to-end tests: 42 passed." in ended.stdout
    assert (tmp_path / "twelvefold-demo" / "threads.db").exists()
    assert "twelvefold-demo/threads.db" in ended.stdout


def test_the_same_answers_given_do_the_same(tmp_path: Path):
    ended = demo(tmp_path, "--answers", PAGE)

    assert ended.returncode == 0
    assert timeline(ended.stdout) == SHIPPED


def test_what_it_says_to_type_next_works_from_the_same_folder(tmp_path: Path):
    said = demo(tmp_path).stdout.split("next, in this folder:\n")[1].splitlines()
    exports, commands = shlex.split(said[0])[1:], [shlex.split(line) for line in said[1:]]
    env = dict(one.split("=", 1) for one in exports)

    assert len(commands) == 3
    for program, *words in commands:
        ended = run(tmp_path, *words, **env)
        assert (program, ended.returncode) == ("twelvefold", 0), (words, ended.stderr)
        assert ended.stdout + ended.stderr


def test_when_answers_run_out_it_says_how_to_go_on(tmp_path: Path):
    ended = demo(tmp_path, "--answers", "approve")

    assert ended.returncode == 10
    found = re.search(r"paused +(\S+) waits for anna or ben", ended.stdout)
    assert found
    assert f"twelvefold approve {found[1]} --as anna" in ended.stdout
    env = {
        "TWELVEFOLD_APP": "twelvefold-demo/app.py:app",
        "TWELVEFOLD_STORE": "twelvefold-demo/threads.db",
    }
    assert run(tmp_path, "approve", found[1], "--as", "anna", **env).returncode == 0
    assert run(tmp_path, "approve", found[1], "--as", "anna", **env).returncode == 4


def test_an_edited_tag_is_deployed(tmp_path: Path):
    ended = demo(tmp_path, "--answers", "edit:tag=77d0a1c,approve")

    assert ended.returncode == 0
    assert "model deploy_frontend_to_prod 4af9ec0 edited by anna" in timeline(ended.stdout)
    assert "anna deploy_frontend_to_prod 77d0a1c 77d0a1c is deployed" in timeline(ended.stdout)


def test_refusing_everything_ships_nothing(tmp_path: Path):
    ended = demo(tmp_path, "--answers", "deny:no,deny:no, really, no,answer:leave it")

    assert ended.returncode == 0
    assert "model deploy_backend_to_prod 4af9ec0 denied by anna: no, really, no" in timeline(
        ended.stdout
    )
    assert not [line for line in timeline(ended.stdout) if "prod 4af9ec0 4af9ec0" in line]


@pytest.mark.parametrize(
    "answers", ["", "yes", "deny", "deny:", "approve:now", "edit:tag", "x,approve"]
)
def test_an_answer_that_is_none_is_refused_before_anything_is_done(tmp_path: Path, answers: str):
    ended = demo(tmp_path, "--answers", answers)

    assert ended.returncode == 2
    assert "is none of approve, deny:WHY, edit:NAME=VALUE or answer:TEXT" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_answer_of_the_wrong_kind_says_what_is_awaited(tmp_path: Path):
    ended = demo(tmp_path, "--answers", "answer:hello")

    assert ended.returncode == 2
    assert "awaits approve or deny or edit, not answer" in ended.stderr


@pytest.mark.parametrize("options", [(), ("--kill",)])
def test_somebody_else_may_not_answer(tmp_path: Path, options: tuple[str, ...]):
    ended = demo(tmp_path, "--as", "carl", *options)

    assert ended.returncode == 5
    assert "carl may not answer" in ended.stderr


def test_killed_at_each_wait_and_around_each_effect_every_deploy_takes_effect_once(tmp_path: Path):
    ended = demo(tmp_path, "--kill")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert timeline(ended.stdout) == SHIPPED
    kills = [line.split(":")[0].strip() for line in ended.stdout.splitlines() if "SIGKILL" in line]
    assert [re.sub(r"\S+\.s", "s", kill) for kill in kills] == [
        "x while s3.1 waits for a person",
        "x while s4.1 waits for a person",
        "x before deploy_backend_to_prod took effect",
        "x after deploy_backend_to_prod took effect",
        "x while s5.1 waits for a person",
        "x before deploy_frontend_to_prod took effect",
        "x after deploy_frontend_to_prod took effect",
    ]
    ledger = [" ".join(line.split()) for line in ended.stdout.splitlines() if "called" in line]
    assert ledger == [
        "deploy_staging 4af9ec0 called once took effect once",
        "deploy_backend_to_prod 4af9ec0 called 2 times took effect once",
        "deploy_frontend_to_prod 4af9ec0 called 2 times took effect once",
    ]


def test_killed_while_answers_run_out_it_pauses(tmp_path: Path):
    assert demo(tmp_path, "--kill", "--answers", PAGE.removesuffix(",approve")).returncode == 10


def test_a_changed_copy_is_kept_and_run(tmp_path: Path):
    demo(tmp_path)
    script = tmp_path / "twelvefold-demo" / "script.yaml"
    script.write_text(script.read_text().replace("The release is live.", "Shipped it!"))

    ended = demo(tmp_path)
    assert ended.returncode == 0
    assert ended.stderr == "twelvefold-demo/script.yaml is kept as you changed it\n"
    assert "model done_for_now Shipped it!" in timeline(ended.stdout)


def test_each_run_is_a_new_thread_of_one_log(tmp_path: Path):
    demo(tmp_path)
    demo(tmp_path)
    listed = run(tmp_path, "threads", "list", "--json", "--store", "twelvefold-demo/threads.db")

    assert [row["status"] for row in json.loads(listed.stdout)["data"]] == ["finished"] * 2


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "twelvefold-demo").write_text("a file is in the way")
    ended = demo(tmp_path)

    assert ended.returncode == 6
    assert "cannot be copied to ./twelvefold-demo" in ended.stderr


def test_as_json_every_line_is_a_document(tmp_path: Path):
    documents = [json.loads(line) for line in demo(tmp_path, "--json").stdout.splitlines()]

    assert {one["schema"] for one in documents[:-1]} == {"twelvefold.event/1"}
    assert (documents[-1]["schema"], documents[-1]["status"]) == ("twelvefold.rest/1", "finished")


def test_whoever_sits_at_a_terminal_is_asked(tmp_path: Path):
    code, said = at_a_terminal(
        tmp_path,
        "x",
        "d",
        "",
        "can you deploy the backend first?",
        "e",
        "tog=1",
        "e",
        "tag=77d0a1c",
        "a",
    )

    assert code == 0, said
    assert "wants   deploy_frontend_to_prod    high risk" in said
    assert "expires in" in said
    assert "anna deploy_backend_to_prod 77d0a1c 77d0a1c is deployed" in timeline(said)


def test_whoever_leaves_a_terminal_leaves_a_thread_that_waits(tmp_path: Path):
    code, said = at_a_terminal(tmp_path, "q")

    assert code == 10
    assert "twelvefold approve" in said


def at_a_terminal(folder: Path, *lines: str) -> tuple[int, str]:
    """Run the demo on a pseudo-terminal and type these lines."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*TWELVEFOLD, "demo"], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    said = b""
    while chunk := _read(ours):
        said += chunk
    os.close(ours)
    return process.wait(TIMEOUT_S), said.decode().replace("\r\n", "\n").replace(
        "\x1b[1m", ""
    ).replace("\x1b[0m", "")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the last process closed its end
        return b""


def test_the_wheel_carries_the_demo_and_nothing_that_a_run_left(tmp_path: Path):
    source = ROOT / "examples" / "release_pipeline"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=TIMEOUT_S)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        carried = {Path(name).name for name in files.namelist() if "/_demo/" in name}
        files.extractall(tmp_path / "installed")

    assert carried == {
        path.name for path in source.iterdir() if path.suffix in {".py", ".md", ".yaml"}
    }
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    ended = demo(folder, "--kill", PYTHONPATH=str(tmp_path / "installed"))
    assert ended.returncode == 0, ended.stderr
    assert timeline(ended.stdout) == SHIPPED
