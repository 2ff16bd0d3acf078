"""Imports of a project's files, changed as text."""

from pathlib import Path

import pytest

from twelvefold.scaffold.rewiring import begun, entries, rewired

OWN = {"agent", "tools", "ejected"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from twelvefold import Step, render\n\nfrom tools import x\n",
            "from twelvefold import Step\n\nfrom ejected.context import render\n"
            "from tools import x\n",
        ),
        (
            "from twelvefold import render\nfrom twelvefold.intents import ask\n\nimport agent\n",
            "from twelvefold.intents import ask\n\nimport agent\n"
            "from ejected.context import render\n",
        ),
        (
            "from twelvefold.context import Renderer as R, view\nx = R\n",
            "\nfrom ejected.context import Renderer as R, view\nx = R\n",
        ),
        (
            "def f():\n    from twelvefold.context.tokens import estimate\n    return estimate\n",
            "def f():\n    from ejected.context.tokens import estimate\n    return estimate\n",
        ),
        (
            "def f():\n    from twelvefold import Step, render\n    return render\n",
            "def f():\n    from twelvefold import Step\n    from ejected.context import render\n"
            "    return render\n",
        ),
        ("from twelvefold import Step, parse\n", "from twelvefold import Step, parse\n"),
        ("import twelvefold.contexts\n", "import twelvefold.contexts\n"),
        ("from .context import render\n", "from .context import render\n"),
        ("s = 'from twelvefold import render'\n", "s = 'from twelvefold import render'\n"),
    ],
)
def test_imports_move_and_the_rest_stays(before: str, after: str):
    assert rewired(before, "context", OWN) == after


def test_doing_it_twice_is_doing_it_once():
    once = rewired("from twelvefold import Step, render\n", "context", OWN)

    assert rewired(once, "context", OWN) == once


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"""Doc.\n\nMore."""\n\nfrom x import y\n', 4),
        ("from __future__ import annotations\n\nimport x\n", 2),
        ("import x\n", 0),
    ],
)
def test_what_is_ejected_is_loaded_before_anything_else(text: str, line: int):
    first = begun(text)

    assert first.splitlines()[line].startswith("import ejected as ejected")
    assert begun(first) == first
    compile(first, "app.py", "exec")


def test_what_begins_a_process_is_what_nobody_else_imports():
    texts = {
        Path("main.py"): "from app import app\nfrom twelvefold import App\n",
        Path("app.py"): "import agent\nfrom twelvefold import App\n",
        Path("agent.py"): "import twelvefold\n",
        Path("notes.py"): "import json\n",
    }

    assert list(entries(texts)) == [Path("main.py")]
