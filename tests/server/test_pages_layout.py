"""The frame of all pages: files under their hash, headers, refusals as pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.visiting import Visitor, form_with, words
from twelvefold.app import App
from twelvefold.server.pages.assets import assets

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
TEMPLATES = Path("src/twelvefold/server/pages/templates")


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Visitor]:
    app = App([], store=tmp_path / "x.db")
    yield Visitor(app)
    app.close()


def test_a_file_is_cached_for_ever_under_the_hash_of_its_content(anna: Visitor):
    answer = anna.as_(None).get(assets()["style.css"].path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


def test_another_hash_is_another_file(anna: Visitor):
    assert anna.get("/static/0123456789ab/style.css").status_code == 404


def test_nobody_signed_in_is_told_how_and_sees_nothing(anna: Visitor):
    answer = anna.as_(None).get("/inbox")

    assert answer.status_code == 401
    assert "Nobody is signed in" in words(answer)
    assert form_with(answer, "Sign in").action == "/sign-in"


def test_an_address_that_leads_nowhere_is_a_page_for_a_browser_and_a_problem_for_a_program(
    anna: Visitor,
):
    page = anna.get("/contact/x", headers={"accept": "text/html,*/*;q=0.8"})
    problem = anna.get("/contact/x")

    assert (page.status_code, problem.status_code) == (404, 404)
    assert "There is no page at this address" in words(page)
    assert 'href="/inbox"' in page.text
    assert page.headers["content-security-policy"] == CSP
    assert problem.headers["content-type"] == "application/problem+json"


def test_a_thread_that_is_not_here_is_said_to_people_in_their_words(anna: Visitor):
    answer = anna.get("/threads/gone")

    assert answer.status_code == 404
    assert "There is no thread of this name here" in words(answer)


def test_a_command_in_a_refusal_is_shown_as_one(anna: Visitor):
    page = anna.as_(None).get("/sign-in?token=used")

    assert "`" not in words(page)
    assert re.search(r"<code><bdi>twelvefold [a-z ]+</bdi></code>", page.text)


def test_a_page_lets_nothing_in_and_is_kept_nowhere(anna: Visitor):
    headers = anna.get("/inbox").headers

    assert headers["content-security-policy"] == CSP
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_style_or_script_of_its_own(path: Path):
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|\|\s*safe", text)
