"""`twelvefold new` inside a project: said and refused, unless `--inside` is given."""

from pathlib import Path

import pytest
from projects import twelvefold

from twelvefold.scaffold.new import create


@pytest.fixture
def outer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    create(tmp_path / "outer", "minimal")
    monkeypatch.chdir(tmp_path / "outer")
    return tmp_path / "outer"


def test_inside_a_project_none_is_made(outer: Path):
    before = sorted(outer.rglob("*"))
    ran = twelvefold("new", "bot", "--yes")

    assert (ran.code, ran.out) == (2, "")
    assert f"bot would be a project inside the project {outer}" in ran.err
    assert "--inside" in ran.err
    assert "`twelvefold add`" in ran.err
    assert sorted(outer.rglob("*")) == before


def test_a_folder_further_below_and_one_by_its_path_are_seen_too(
    outer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert twelvefold("new", "tests/bot", "--yes").code == 2
    monkeypatch.chdir("/")
    assert twelvefold("new", str(outer / "bot"), "--yes").code == 2
    assert twelvefold("new", str(tmp_path / "bot"), "--yes").code == 0


def test_what_is_asked_for_is_made(outer: Path):
    assert twelvefold("new", "bot", "--yes", "--inside").code == 0
    assert (outer / "bot" / "agent.py").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.py", "from flask import Flask\n\napp = Flask(__name__)\n"),
        ("pyproject.toml", '[project]\nname = "shop"\ndependencies = ["twelvefold"]\n'),
        ("app.py", b"\xff"),
    ],
)
def test_a_product_may_hold_its_agents_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | bytes
):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.chdir(tmp_path)

    assert twelvefold("new", "agents", "--yes").code == 0


def test_a_project_that_says_where_its_application_is_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "pyproject.toml").write_text('[tool.twelvefold]\napp = "shop/agents.py:app"\n')
    monkeypatch.chdir(tmp_path)

    ran = twelvefold("new", "bot", "--yes")
    assert ran.code == 2
    assert "as its pyproject.toml says" in ran.err
