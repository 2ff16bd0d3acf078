"""A pytest plugin: each case of a `*.cases.yaml` is a test item, in projects that ask for it.

    [tool.pytest.ini_options]
    twelvefold_app = "app.py"

Without that line nothing is collected, nothing is loaded and no option is added: installing
twelvefold changes nobody's test run. The fixture `twelvefold_snapshot` is there for all.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from twelvefold.app import App
    from twelvefold.cases import Case

APP = "twelvefold_app"
SUFFIX = ".cases.yaml"
UPDATE = "--snapshot-update"

_app_key = pytest.StashKey["App"]()


class Ejected:
    """Puts what the project ejected in place, before conftest files load any of twelvefold."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        project = early_config.rootpath / "pyproject.toml"
        if not project.is_file() or b"ejected" not in project.read_bytes():
            return  # of the library, nothing is loaded for those who do not use it
        from twelvefold.exceptions import ConfigurationError
        from twelvefold.scaffold.using import use_ejected

        try:
            use_ejected(early_config.rootpath)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(Ejected())
    parser.addini(APP, "the application whose *.cases.yaml are collected: app.py, or app.py:name")


@pytest.hookimpl(trylast=True)  # after other plugins and conftest files: theirs may be the option
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    if not early_config.getini(APP):
        return
    try:
        parser.addoption(UPDATE, action="store_true", help="write snapshots anew")
    except ValueError:  # another plugin has this flag, which then says the same
        return


@pytest.fixture
def twelvefold_snapshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`twelvefold_snapshot(request_or_text, "name.snap")`: `testing.snapshot` with a path relative
    to the test's file, written anew with `--snapshot-update`."""
    from twelvefold.testing import snapshot

    update = request.config.getoption(UPDATE, default=False) or None

    def compare(shown: Any, name: str) -> None:
        snapshot(shown, request.path.parent / name, update=update)

    return compare


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "CasesFile | None":
    if not file_path.name.endswith(SUFFIX) or not parent.config.getini(APP):
        return None
    return _made(CasesFile, parent, path=file_path)


class CasesFile(pytest.File):
    """A `*.cases.yaml`."""

    def collect(self) -> Iterator["CaseItem"]:
        from twelvefold.cases import read_cases
        from twelvefold.evals import replies_of
        from twelvefold.exceptions import TwelvefoldError

        root = self.config.rootpath
        name = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        try:
            cases = read_cases(self.path, name=name.as_posix())
        except TwelvefoldError as error:
            raise self.CollectError(str(error)) from error
        replies = replies_of(self.path)
        for case in cases:
            yield _made(CaseItem, self, name=case.name, case=case, replies=replies)


class CaseItem(pytest.Item):
    """One case."""

    case: "Case"
    replies: Any

    def runtest(self) -> None:
        import asyncio

        from twelvefold.evals import check

        app = _app_of(self.config)
        checked = asyncio.run(check(self.case, app.agents, app.models, replies=self.replies))
        if not checked.verdict.passed:
            raise CaseFailed("\n".join(checked.verdict.complaints))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What the verdict says, without a traceback; that of anything else."""
        from twelvefold.exceptions import TwelvefoldError

        if isinstance(excinfo.value, CaseFailed | TwelvefoldError):
            where = f"{self.case.file}:{self.case.line}"
            return f"{where}: case {self.case.name!r}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.name


def _made(kind: Any, parent: pytest.Collector, **attributes: Any) -> Any:
    """A node: pytest makes those, and only some attributes are its own."""
    ours = {name: attributes.pop(name) for name in ("case", "replies") if name in attributes}
    node = kind.from_parent(parent, **attributes)
    for name, value in ours.items():
        setattr(node, name, value)
    return node


class CaseFailed(Exception):
    """A case did not pass. Its text says what was expected and what came."""


def _app_of(config: pytest.Config) -> "App":
    """The application, loaded once per run."""
    if _app_key not in config.stash:
        from dataclasses import replace

        from twelvefold.cli.finding import find_place, load_app

        name = str(config.getini(APP))
        app = name if ":" in name else f"{name}:app"
        place = find_place(config.rootpath, {}, app=app)
        config.stash[_app_key] = load_app(replace(place, app_from=APP))
    return config.stash[_app_key]
