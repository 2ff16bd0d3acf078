"""What becomes of the thread that `twelvefold dev` began: how it rests, and where that is decided.

It is said whenever the thread rests in another way than before, while the server serves.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

from twelvefold.cli.family import Family, Rest, rest_of
from twelvefold.cli.following import rest_data
from twelvefold.cli.here import Here
from twelvefold.cli.waits import rest_lines
from twelvefold.exceptions import StoreError
from twelvefold.summary import short

LOOK_S = 0.2
"""How often the thread is looked at."""


@asynccontextmanager
async def telling(here: Here, begun: str | None, url: str) -> AsyncGenerator[None]:
    """While the block lasts; nothing without a thread."""
    tells = None if begun is None else asyncio.ensure_future(_tell(here, begun, url))
    try:
        yield
    finally:
        if tells is not None:
            tells.cancel()
            await asyncio.gather(tells, return_exceptions=True)


def thread_path(thread_id: str) -> str:
    return f"/threads/{quote(thread_id)}"


async def _tell(here: Here, begun: str, url: str) -> None:
    family, said = Family(here.app.store, begun), None
    while True:
        rest = None
        with suppress(StoreError):  # whoever advances says what is wrong with it
            rest = await asyncio.to_thread(_rest, family)
        if rest is not None and (now := (rest.row.status, rest.waits)) != said:
            said = now
            _say(here, rest, url)
        await asyncio.sleep(LOOK_S)


def _rest(family: Family) -> Rest | None:
    rest = rest_of(family.store, family.root)
    return None if rest.going else rest


def _say(here: Here, rest: Rest, url: str) -> None:
    contacts = [wait for wait in rest.waits if ":" not in wait]
    pages = [f"{url}/contacts/{quote(contact)}" for contact in contacts]
    try:
        if here.json:
            return here.out.document("rest/1", **rest_data(rest), pages=pages)
        for line in rest_lines(here, rest, ends=False):
            here.out.line(line)
        for page in pages:
            here.out.line(f"{'decide':<10} {page}")
        if rest.root.status == "finished":
            here.out.line(f"finished   {short(rest.root.ref.id)}")
    except BrokenPipeError:  # nobody reads: the server goes on
        here.out.mute()
