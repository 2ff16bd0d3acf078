"""Each command has help, the shared options and a section in docs/cli.md, and starts light."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from commands import Cli

from twelvefold.cli import exits
from twelvefold.cli.root import COMMANDS, Lazy, root

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
MODULES = "import sys; from twelvefold.cli import call; call({}); print(sorted(sys.modules))"


def commands(table: Mapping[str, Any] = COMMANDS, prefix: str = "") -> Iterator[str]:
    for name, found in table.items():
        if isinstance(found, Mapping):
            yield from commands(found, f"{prefix}{name} ")
        else:
            yield prefix + name


def found(name: str) -> click.Command:
    group: click.Command = root()
    for word in name.split():
        assert isinstance(group, Lazy)
        command = group.get_command(click.Context(group), word)
        assert command is not None
        group = command
    return group


@pytest.mark.parametrize("name", list(commands()))
def test_each_command_has_help_and_the_shared_options(cli: Cli, name: str):
    ran = cli(*name.split(), "--help")

    assert ran.code == 0
    for option in ("--json", "--app", "--store", "--debug", "--verbose"):
        assert option in ran.out
    assert found(name).help


@pytest.mark.parametrize("name", list(commands()))
def test_each_command_and_each_of_its_options_is_documented(name: str):
    text = DOCS.read_text(encoding="utf-8")
    sections = re.split(r"^#+ ", text, flags=re.MULTILINE)
    section = [part for part in sections if part.startswith(f"`twelvefold {name}")]

    assert section, f"docs/cli.md has no section on {name}"
    shared = {"--json", "--app", "--store", "--debug", "--verbose"}
    options = {o for p in found(name).params for o in p.opts if o.startswith("--")} - shared
    assert not [option for option in options if f"{option}" not in section[0]]


def test_each_exit_code_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    codes = {value for name, value in vars(exits).items() if name.isupper() and name[0] != "_"}

    assert codes == {0, 1, 2, 3, 4, 5, 6, 10, 11, 124, 130, 141}
    assert codes == {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}


def test_help_names_every_command_without_loading_any():
    code = (
        "import sys; from twelvefold.cli import call; call(['--help']); print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert all(name.split()[0] in done.stdout for name in commands())
    for heavy in ("pydantic", "rich", "asyncio", "sqlite3", "twelvefold.app"):
        assert f"'{heavy}'" not in done.stdout


@pytest.mark.parametrize("args", [["threads", "list"], ["inbox"], ["version"], []])
def test_looking_at_the_log_loads_no_pydantic(cli: Cli, folder: Path, args: list[str]):
    cli("run", "bot", "deploy v1")
    code = MODULES.format(args)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "'click'" in done.stdout
    assert "'pydantic'" not in done.stdout


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_shared_options_go_before_and_after_the_command(cli: Cli, where: str):
    words = ["threads", "list"]
    args = ["--json", *words] if where == "before" else [*words, "--json"]

    assert cli(*args).document["data"] == []
    assert cli("threads", "--json", "list").document["data"] == []


def test_the_version_is_that_of_the_package(cli: Cli):
    from twelvefold import __version__

    assert cli("version", "--json").document["twelvefold"] == __version__
    assert __version__ in cli("version").out
    assert __version__ in cli("--version").out
