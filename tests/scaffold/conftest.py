"""A machine with the wheel, one for all processes of a test run, and a project made on it."""

from pathlib import Path

import pytest

from installed import Machine, machine


@pytest.fixture(scope="session")
def wheeled(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    base = tmp_path_factory.getbasetemp()
    return machine((base.parent if base.name.startswith("popen-") else base) / "machine")


# docs/scaffold.md runs the smallest one in every test run.
EACH = ["deploybot", "fastapi", pytest.param("minimal", marks=pytest.mark.long)]


@pytest.fixture(scope="session", params=EACH)
def template(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def project(wheeled: Machine, template: str, tmp_path: Path) -> Path:
    """As `twelvefold new` leaves it."""
    made = wheeled.run(tmp_path, "twelvefold", "new", "bot", "--yes", "--template", template)
    assert made.returncode == 0, made.stderr
    return tmp_path / "bot"
