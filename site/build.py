"""`make docs`: the docs as a site, with a reference made of the docstrings, and llms.txt.

The pages stay where they are and link to each other as files. So what is built is a copy of that
part of the repository, in build/docs. The order of the pages is that of docs/index.md, its headings
are the sections.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from subprocess import CalledProcessError as CalledProcessError
from subprocess import run

import reference

ROOT = Path(__file__).parents[1]
COPIED = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "AGENTS.md",
    "LICENSE",
    "docs",
    "examples",
)

_SECTION = re.compile(r"^## (.+)$")
_ROW = re.compile(r"^\| \[([^\]]+)\]\(([^)]+)\) \| (.+) \|$")

Page = tuple[str, str, str]
"""Its name, its path from the root, and what it is read for."""


def build(folder: Path) -> Path:
    """The site, in `folder`/site. Raises `CalledProcessError` for a link that leads nowhere."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    copy(pages)
    modules = write_reference(pages / "reference")
    (folder / "zensical.toml").write_text(settings(modules), encoding="utf-8")
    site = made(folder)
    (site / "llms.txt").write_text(for_models(), encoding="utf-8")
    return site


def made(folder: Path) -> Path:
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    run(command, cwd=folder, check=True, env=os.environ | {"NO_COLOR": "1"})
    return folder / "site"


def copy(pages: Path) -> None:
    pages.mkdir(parents=True)
    left = shutil.ignore_patterns("__pycache__", "*.db*", ".twelvefold")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, pages / name, ignore=left)
        else:
            shutil.copy(ROOT / name, pages / name)


def write_reference(folder: Path) -> list[str]:
    """One page per public module; their paths."""
    folder.mkdir()
    written = dict(reference.pages())
    for name, text in written.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return [f"reference/{name}.md" for name in written]


def sections() -> dict[str, list[Page]]:
    """As docs/index.md lists them."""
    found: dict[str, list[Page]] = {}
    for line in (ROOT / "docs/index.md").read_text(encoding="utf-8").splitlines():
        if heading := _SECTION.match(line):
            found[heading[1]] = []
        elif (row := _ROW.match(line)) and found:
            name, path, about = row.groups()
            found[next(reversed(found))].append((name, f"docs/{path}", about))
    return {name: pages for name, pages in found.items() if pages}


def beside(path: str) -> list[str]:
    """The pages that an index.md stands for."""
    if not path.endswith("/index.md"):
        return []
    found = (ROOT / path).parent.glob("*.md")
    return sorted(f"{Path(path).parent}/{page.name}" for page in found if page.name != "index.md")


def settings(modules: list[str]) -> str:
    """zensical.toml, with the pages in their order: TOML takes JSON's lists, and no other maps."""
    nav: dict[str, str | list[str]] = {"twelvefold": "README.md", "All pages": "docs/index.md"}
    for name, listed in sections().items():
        nav[name] = [path for _, index, _ in listed for path in (index, *beside(index))]
    nav["Decisions"] = sorted(f"docs/adr/{adr.name}" for adr in (ROOT / "docs/adr").glob("*.md"))
    nav |= {"Reference": modules, "Changes": ["CHANGELOG.md", "CONTRIBUTING.md"]}
    lines = ",\n".join(f"  {{ {json.dumps(k)} = {json.dumps(v)} }}" for k, v in nav.items())
    text = (Path(__file__).parent / "zensical.toml").read_text(encoding="utf-8")
    return text.replace("nav = []", f"nav = [\n{lines}\n]")


def for_models() -> str:
    """llms.txt (https://llmstxt.org): what there is to read, a line each."""
    text = "# twelvefold\n\n> An agent is a pure function over an append-only log.\n"
    for name, pages in sections().items():
        text += f"\n## {name}\n\n"
        for title, path, about in pages:
            text += f"- [{title}]({path.removesuffix('.md')}.html): {about}\n"
    return text


if __name__ == "__main__":
    print(build(ROOT / "build/docs") / "index.html")
