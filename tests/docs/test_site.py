"""The docs as a site: every page in its place, nothing fetched from elsewhere."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import twelvefold

ROOT = Path(__file__).parents[2]
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?:https?:)?//|<link[^>]*\shref=["']?(?:https?:)?//"""
)


@pytest.fixture(scope="module")
def building() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(ROOT / "site")
        return runpy.run_path(str(ROOT / "site/build.py"))


@pytest.fixture(scope="module")
def site(building: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return building["build"](tmp_path_factory.mktemp("site") / "docs")


def test_every_page_of_the_docs_is_in_the_site(site: Path):
    pages = [page.relative_to(ROOT) for page in (ROOT / "docs").rglob("*.md")]

    assert [page for page in pages if not (site / page).with_suffix(".html").exists()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path):
    assert FETCHED.search('<link rel="stylesheet" href="https://fonts.example/a.css">')
    for page in site.rglob("*.html"):
        assert FETCHED.search(page.read_text(encoding="utf-8")) is None, page


def test_the_reference_has_every_public_name(site: Path):
    reference = "".join(page.read_text("utf-8") for page in (site / "reference").glob("*.html"))
    shown = {name.rpartition(".")[2] for name in re.findall(r'id="(twelvefold[\w.]+)"', reference)}

    assert set(twelvefold.__all__) - shown == set()


def test_llms_txt_names_pages_that_are_there(site: Path):
    text = (site / "llms.txt").read_text(encoding="utf-8")
    links = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", text, re.MULTILINE)

    assert len(links) > 40
    assert [link for link in links if not (site / link).exists()] == []


def test_a_link_that_leads_nowhere_fails_the_build(building: dict[str, Any], tmp_path: Path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/README.md").write_text("[gone](docs/gone.md)\n", encoding="utf-8")
    (tmp_path / "zensical.toml").write_text(building["settings"]([]), encoding="utf-8")

    with pytest.raises(building["CalledProcessError"]):
        building["made"](tmp_path)
