"""A project of a person: the first agent in a folder, and what `add` says to write into its app.py.

`receiver` is an HTTP server on loopback that keeps what is posted to it.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from ran import Ran
from twelvefold import App
from twelvefold.cli import call
from twelvefold.cli.finding import find_place, load_app
from twelvefold.testing import MemoryStore
from web_thread import Answering, web_thread

ROOT = Path(__file__).parents[2]
MODEL = "model=ScriptedModel(reply)"
OF_PROJECTS = {"app", "channels", "cron", "judge", "cache", "otel", "servers"}


def twelvefold(*args: str) -> Ran:
    """One command, here, in this process."""
    out, err = StringIO(), StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(args)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass
class Project:
    """`folder` is the current one, too."""

    folder: Path

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def begin(self) -> None:
        shutil.copy(ROOT / "examples/first_agent/app.py", self.folder / "app.py")

    def add(self, name: str, *more: str) -> None:
        """Run `add`, and write into app.py what it says. `more`: other arguments of `App`."""
        ran = twelvefold("add", name, "--json")
        assert ran.code == 0, ran.err
        imported, *given = ran.document["lines"]
        arguments = [line.removeprefix("App(..., ").removesuffix(")") for line in given]
        self.write(imported, *arguments, *more)

    def write(self, imported: str, *arguments: str) -> None:
        text = self.text("app.py").replace("from typing", f"{imported}\nfrom typing", 1)
        for argument in arguments:
            given = argument.replace("YOUR_MODEL", "ScriptedModel(reply)")
            both = given if given.startswith("model=") else f"{MODEL}, {given}"
            assert MODEL in text
            text = text.replace(MODEL, both)
        (self.folder / "app.py").write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """The owner edits a file."""
        text = self.text(path)
        assert old in text
        (self.folder / path).write_text(text.replace(old, new), encoding="utf-8")

    def app(self) -> App:
        """As the command line loads it, with a log in memory."""
        forget()
        app = load_app(find_place(self.folder, {}))
        app.use_store(MemoryStore())
        return app


def forget() -> None:
    """Drop the modules of projects: the next one has others of these names."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OF_PROJECTS]:
        del sys.modules[name]


@contextmanager
def mcp_server(folder: Path) -> Iterator[str]:
    """The URL of the server that the tests of the client have, a program of its own."""
    program = ROOT / "tests/mcp/mcp_server_apart.py"
    command = [sys.executable, str(program), str(folder), "http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        finally:
            process.kill()


@dataclass
class Receiver:
    """`posted` are (path, headers, body); each is answered with `status` and `{"sid": "SM1"}`."""

    port: int = 0
    status: int = 200
    posted: list[tuple[str, dict[str, str], bytes]] = field(
        default_factory=list[tuple[str, dict[str, str], bytes]]
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def receiver(status: int = 200) -> Iterator[Receiver]:
    there = Receiver(status=status)

    class Answers(Answering):
        def do_POST(self) -> None:
            body = self.body()
            there.posted.append((self.path, dict(self.headers), body))
            self.say(there.status, {"sid": "SM1"})

    with web_thread(Answers) as port:
        there.port = port
        yield there
