"""Signing in with a real browser: by a key on a phone, by a link, and not by another site's page.

What a browser sends by itself (cookies, `Origin`, `Sec-Fetch-Site`) is what these tests are about.
"""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser.site import make_app
from browser.visits import Visits, faults, scrolls_sideways
from server.known import keyed, running
from twelvefold.app import App
from twelvefold.server.access import one_time_path


@pytest.fixture
def app(tmp_path: Path) -> App:
    return make_app(tmp_path)


@pytest.fixture
def key(app: App) -> str:
    return keyed(app, person="anna")


@pytest.fixture
def visits(chromium: Browser, app: App, key: str) -> Iterator[Visits]:
    """People whom no proxy names, before a server that has a key."""
    with running(app) as url:
        made = Visits(chromium, url)
        made.may_refuse(401)
        yield made
        assert made.end() == []
    app.close()


def path_of(page: Page) -> str:
    return page.evaluate("location.pathname + location.search")


def type_in(page: Page, key: str) -> None:
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_a_key_signs_in_on_a_phone_and_out_again(visits: Visits, key: str, javascript: bool):
    page = visits.of("", size="phone", javascript=javascript)
    page.goto("/threads?status=waiting")

    type_in(page, key)

    page.get_by_text("Signed in as").wait_for()
    assert page.url.endswith("/threads?status=waiting")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Key").wait_for()
    assert page.url.endswith("/sign-in")
    assert page.goto("/inbox").status == 401


def test_a_wrong_key_is_said_and_the_place_is_kept(visits: Visits, key: str):
    page = visits.of("", size="phone")
    page.goto("/threads")

    type_in(page, "tf_wrong")

    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Key").input_value() == ""
    type_in(page, key)
    page.get_by_text("Signed in as").wait_for()
    assert path_of(page) == "/threads"


def test_a_link_opens_once_and_its_token_is_gone(visits: Visits, app: App):
    path = one_time_path(app.store, person="anna")
    anna, thief = visits.of(""), visits.of("")

    anna.goto(path)
    anna.get_by_text("Signed in as").wait_for()
    assert path_of(anna) == "/inbox"
    anna.reload()
    anna.get_by_text("Signed in as").wait_for()
    assert "token" not in anna.evaluate("document.referrer + performance.getEntries()[0].name")

    thief.goto(path)
    assert "was used before" in thief.get_by_role("alert").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_narrow_screen(visits: Visits, theme):
    page = visits.of("", size="narrow", theme=theme)
    page.goto("/inbox")

    assert faults(page) == []
    assert not scrolls_sideways(page)
    for target in (page.get_by_role("button", name="Sign in"), page.get_by_label("Key")):
        assert target.bounding_box()["height"] >= 44


def test_with_the_way_out_the_header_fits_a_narrow_screen(visits: Visits, key: str):
    page = visits.of("", size="narrow")
    page.goto("/threads")
    type_in(page, key)

    page.get_by_role("button", name="Sign out").wait_for()
    assert not scrolls_sideways(page)
    assert faults(page) == []


# Other sites


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A page by another name of this machine: another site to the browser."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("enctype", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_form_of_another_site_changes_nothing(visits: Visits, app: App, key: str, enctype: str):
    visits.may_refuse(401, 403, 404)
    page = visits.of("")
    page.goto("/threads")
    type_in(page, key)
    page.get_by_text("Signed in as").wait_for()
    form = f'<form method=post action="{visits.url}/sign-out" enctype="{enctype}">'

    with another_site(f'{form}<input name=csrf value="x"><button>Win</button></form>') as evil:
        page.goto(evil)
        with page.expect_navigation() as answer:
            page.get_by_role("button", name="Win").click()

    assert answer.value.status in (401, 403)
    page.goto("/threads")
    page.get_by_text("Signed in as").wait_for()


def test_a_script_of_another_site_reads_and_changes_nothing(visits: Visits, key: str):
    visits.may_refuse(401, 403, 404)
    page = visits.of("")
    page.goto("/threads")
    type_in(page, key)
    page.get_by_text("Signed in as").wait_for()
    script = """async url => {
        const told = [];
        for (const [path, method] of [['/v1/threads', 'GET'], ['/v1/threads', 'POST']])
            for (const mode of ['cors', 'no-cors'])
                try {
                    const answer = await fetch(url + path, {method, mode, credentials: 'include'});
                    told.push(await answer.text());
                } catch (error) { told.push(''); }
        return told;
    }"""

    with another_site("<title>evil</title>") as evil:
        page.goto(evil)
        assert page.evaluate(script, visits.url) == ["", "", "", ""]
    visits.complaints.clear()  # the browser says what it refused
    page.goto("/threads")
    page.get_by_text("Signed in as").wait_for()


def test_another_site_cannot_frame_a_page(visits: Visits, key: str):
    page = visits.of("")
    page.goto("/threads")
    type_in(page, key)
    page.get_by_text("Signed in as").wait_for()

    with another_site(f'<iframe src="{visits.url}/inbox"></iframe>') as evil:
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.goto(evil)
        framed = [frame for frame in page.frames if frame is not page.main_frame]
        assert all("Signed in as" not in frame.content() for frame in framed)
    visits.complaints.clear()


def test_on_a_phone_the_header_says_who_is_signed_in_on_one_line(visits: Visits, key: str):
    page = visits.of("", size="phone")
    page.goto("/threads")
    type_in(page, key)
    page.get_by_text("Signed in as").wait_for()

    who, out = page.locator(".who"), page.get_by_role("button", name="Sign out")
    assert not who.evaluate("it => it.scrollWidth > it.clientWidth")
    assert out.evaluate("it => it.getClientRects().length") == 1
    assert out.bounding_box()["height"] < 50  # one line of text
    assert page.locator(".top").bounding_box()["height"] < 50
