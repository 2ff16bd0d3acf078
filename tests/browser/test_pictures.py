"""The pictures of the docs: every screen, in both themes, at a desk and on a phone.

`make pictures` takes them anew, or those of `SCREENS=inbox,edit`; any other run looks only whether
they are all there, for pictures that change with every run would be in every commit.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page

from browser.site import Site
from browser.visits import Size, Theme, Visits

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PICTURE_BYTES_MAX = 150_000
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES: dict[Size, float] = {"desktop": 1, "phone": 1.5}
HOURS = timedelta(hours=1)

Screen = Callable[[Page], None]


def at(path: str) -> Screen:
    return lambda page: void(page.goto(path))


def void(_: object) -> None:
    """What a page answers is not looked at."""


def editing(page: Page) -> None:
    page.goto("/contacts/refund.s1.1/edit")
    page.get_by_label("euros").fill("45.25")


SCREENS: dict[str, Screen] = {
    "inbox": at("/inbox"),
    "history": at("/inbox?tab=history"),
    "decision": at("/contacts/release-42.s4.1"),
    "decision-long": at("/contacts/refund.s1.1"),
    "edit": editing,
    "question": at("/contacts/choice.s1.1"),
    "form": at("/contacts/travel.s1.1"),
    "decided": at("/contacts/release-42.s3.1"),
    "threads": at("/threads"),
    "thread": at("/threads/release-42?seq=11"),
    "context": at("/threads/release-42/context?at=12"),
    "health": at("/health"),
    "sign-in": at("/sign-in"),
}


def test_every_screen_has_its_pictures():
    wanted = {
        f"{name}-{theme}-{size}.png"
        for name in (*SCREENS, "link", "conflict")
        for theme in THEMES
        for size in SIZES
    }
    there = {path.name for path in PICTURES.glob("*.png")}

    assert there == wanted
    large = [p.name for p in PICTURES.glob("*.png") if p.stat().st_size > PICTURE_BYTES_MAX]
    assert large == []


TAKEN = os.environ.get("PICTURES", "")
if TAKEN:

    def test_take_every_picture(visits: Visits, site: Site):
        visits.may_refuse(409)
        link = furnish(site)
        screens = {**SCREENS, "link": at(f"/h/{link}")}
        for size, scale in SIZES.items():
            for theme in THEMES:
                page = visits.of("anna", size=size, theme=theme, scale=scale)
                mail = visits.of("", size=size, theme=theme, scale=scale)
                for name, show in screens.items():
                    shot = mail if name in ("link", "sign-in") else page
                    show(shot)
                    keep(shot, name, theme, size)
        for size, scale in SIZES.items():
            for theme in THEMES:
                page = visits.of("anna", size=size, theme=theme, scale=scale, javascript=False)
                decided_by_another(page, site, f"{theme}-{size}")
                keep(page, "conflict", theme, size)


def keep(page: Page, name: str, theme: Theme, size: Size) -> None:
    if TAKEN != "all" and name not in TAKEN.split(","):
        return
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{theme}-{size}.png")


def decided_by_another(page: Page, site: Site, name: str) -> None:
    contact = site.contact("refund order 7, too", name=f"late-{name}")
    page.goto(f"/contacts/{contact}")
    site.answer(contact, "approve", by="ben", channel="slack")
    page.locator("#comment").fill("I would rather see the receipt first.")
    page.get_by_role("button", name="Deny").click()


def furnish(site: Site) -> str:
    """An office on an ordinary day; the token of a link in a mail."""
    site.behind = 20 * HOURS
    site.contact("label the mail of Ms Okafor", name="old")
    site.answer("old.s1.1", "approve", by="ben")
    site.begin("nap until the bank opens", name="nap")
    site.behind = 5 * HOURS
    site.deploy(name="release-42")
    site.behind = 4 * HOURS
    site.answer(
        "release-42.s3.1", "deny", comment="Can you deploy the backend first?", channel="web"
    )
    site.until(lambda app: app.thread("release-42").head >= 13)
    site.behind = 2 * HOURS
    site.contact("refund order 7, the parcel was lost", name="refund")
    site.contact("plan the stocktaking", name="choice")
    site.begin("file the letter of the tax office", agent="breaks", name="letter")
    site.behind = HOURS
    site.contact("book the fair in spring", name="travel")
    site.begin("errand: sort the mail of today", name="errand")
    site.answer(site.contact("wire 400 euros to the landlord", name="bank"), "approve")
    site.behind = timedelta(minutes=8)
    site.contact("ask who delivers paper from now on", name="supplier")
    link = site.do(
        site.app.link(site.contact("label the mail about invoices", name="mail"), "anna")
    )
    site.behind = timedelta()
    return link
