"""Where the application and its log are: options, environment, pyproject.toml, defaults.

The root is the nearest folder, from the current one upwards, that holds `pyproject.toml` or
`app.py`; without one, the current folder.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from twelvefold.cli.extras import remedy
from twelvefold.exceptions import ConfigurationError, NoApplication
from twelvefold.stores import shown_url

if TYPE_CHECKING:
    from twelvefold.app import App

T = TypeVar("T")
APP_DEFAULT = "app.py:app"
DEFAULT = "default"
ENGINES = ("embedded", "procrastinate")
STORE_DEFAULT = Path(".twelvefold") / "threads.db"
MAKE_ONE = (
    "Make a project with `twelvefold new bot`, name an application with --app path/to/file.py:app,"
    " or look around with `twelvefold demo`."
)


@dataclass(frozen=True, slots=True)
class Place:
    """`app`: `file.py:attr` or `module:attr`. `*_from`: who named it, `DEFAULT` when nobody did."""

    root: Path
    app: str
    app_from: str
    store: str
    store_from: str
    engine: str | None = None  # None: as the application says
    engine_from: str = DEFAULT

    @property
    def app_named(self) -> bool:
        return self.app_from != DEFAULT

    @property
    def store_named(self) -> bool:
        return self.store_from != DEFAULT


def find_place(
    cwd: Path, environ: Mapping[str, str], *, app: str | None = None, store: str | None = None
) -> Place:
    """Raises `ConfigurationError` when pyproject.toml cannot be read."""
    root = next((p for p in (cwd, *cwd.parents) if _is_root(p)), cwd)
    project = _settings(root / "pyproject.toml")
    named_app, app_from = _first(
        ("--app", _rooted(cwd, app)),
        ("TWELVEFOLD_APP", _rooted(cwd, environ.get("TWELVEFOLD_APP"))),
        ("pyproject.toml", _rooted(root, project.get("app"))),
    )
    named_store, store_from = _first(
        ("--store", store),
        ("TWELVEFOLD_STORE", environ.get("TWELVEFOLD_STORE")),
        ("pyproject.toml", _url(root, project.get("store"))),
    )
    default_app = _rooted(root, APP_DEFAULT) or APP_DEFAULT
    default_store = str(root / STORE_DEFAULT)
    engine = _first(
        ("TWELVEFOLD_ENGINE", environ.get("TWELVEFOLD_ENGINE")),
        ("pyproject.toml", project.get("engine")),
    )
    app_place, store_place = named_app or default_app, named_store or default_store
    return Place(root, app_place, app_from, store_place, store_from, *engine)


def _first(*sources: tuple[str, str | None]) -> tuple[str | None, str]:
    """The first value that somebody gave, and who."""
    return next(((value, name) for name, value in sources if value), (None, DEFAULT))


def _is_root(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() or (folder / "app.py").is_file()


def _settings(pyproject: Path) -> dict[str, Any]:
    if not pyproject.is_file():
        return {}
    import tomllib

    try:
        found = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{pyproject} cannot be read: {error}") from error
    return found.get("tool", {}).get("twelvefold", {})


def _rooted(folder: Path, app: str | None) -> str | None:
    """A file in an app's name as an absolute path; a module's name stays as it is."""
    if app is None or not _is_file(app):
        return app
    path, _, attribute = app.rpartition(":")
    return f"{folder / path}:{attribute}"


def _is_file(app: str) -> bool:
    name = app.rpartition(":")[0]
    return name.endswith(".py") or "/" in name


def _url(root: Path, store: str | None) -> str | None:
    return store if store is None or ":" in store else str(root / store)


def path_of(store: str) -> str:
    """The file of a store's URL."""
    return store.removeprefix("sqlite:///")


def leaves_store_to_us(place: Place) -> bool:
    """Whether the text of the application alone shows that it names no store of its own.

    Then lists can open the log without loading the application, which takes ten times as long.
    """
    path = Path(place.app.rpartition(":")[0])
    if path.suffix != ".py":
        return False
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return not place.app_named  # there is no application at all
    return "App(" in text and "store" not in text and "**" not in text


def refuse_missing(place: Place) -> None:
    """Raises `NoApplication` or `ConfigurationError` where there is nothing that could be loaded:
    nothing of it is, so what is there may still be broken."""
    name, _ = _named(place)
    path = Path(name)
    if not _is_file(place.app):
        if not PathFinder.find_spec(name.partition(".")[0], [str(place.root), *sys.path]):
            raise ConfigurationError(f"There is no module {name!r}, which {place.app_from} names.")
    elif path.is_file():
        return
    elif place.app_named:
        raise ConfigurationError(f"There is no file {path}, which {place.app_from} names.")
    else:
        raise NoApplication(f"There is no application here: {path} does not exist. {MAKE_ONE}")


def nowhere(place: Place) -> ConfigurationError:
    """There is no log, nor an application that would begin one."""
    if place.store_named:
        return ConfigurationError(
            f"There is no log {shown_url(place.store)}, which {place.store_from} names, and no"
            " application that would begin it."
        )
    return NoApplication(
        f"There is neither an application nor a log here: {place.app.rpartition(':')[0]} and"
        f" {place.store} do not exist. {MAKE_ONE}"
    )


def load_app(place: Place) -> "App":
    """The application object. Raises `ConfigurationError`, whatever its file raises."""
    from twelvefold.app import App

    return load_object(place, App)


def load_object(place: Place, kind: type[T]) -> T:
    """The object that `place.app` names. Raises `ConfigurationError`, whatever its file raises."""
    name, attribute = _named(place)
    made = getattr(_load(name, place), attribute, None)
    if not isinstance(made, kind):
        found = "nothing" if made is None else f"a {type(made).__name__}"
        raise ConfigurationError(f"{name} has {found} under {attribute!r}, not an {kind.__name__}.")
    return made


def _named(place: Place) -> tuple[str, str]:
    """The file or module, and the name in it. Raises `ConfigurationError`."""
    name, _, attribute = place.app.rpartition(":")
    if not name or not attribute:
        raise ConfigurationError(
            f"{place.app!r} names no application: give path/to/file.py:app or package.module:app."
        )
    return name, attribute


def _load(name: str, place: Place) -> ModuleType:
    refuse_missing(place)
    try:
        return _load_file(Path(name)) if _is_file(place.app) else _load_module(name, place.root)
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        where = _line_of(error)
        raise ConfigurationError(
            f"{name} cannot be loaded: {type(error).__name__}: {error}{where}{remedy(error)}"
        ) from error


def _load_module(name: str, root: Path) -> ModuleType:
    sys.path.insert(0, str(root))
    return importlib.import_module(name)


def _load_file(path: Path) -> ModuleType:
    sys.path.insert(0, str(path.parent))  # files beside it are imported by their names
    name = path.stem if path.stem not in sys.modules else f"twelvefold_app_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # a path that ends in .py has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are resolved through it
    spec.loader.exec_module(module)
    return module


def _line_of(error: BaseException) -> str:
    """The last line of the traceback, which is in or below the application's file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({Path(cast(Any, trace).tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"
