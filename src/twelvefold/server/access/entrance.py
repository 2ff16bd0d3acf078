"""The one door: ways in are tried in order, forgeries and floods are refused, nobody is guessed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from fastapi import Request
from markupsafe import Markup
from starlette.exceptions import HTTPException

from twelvefold.exceptions import NotSignedIn, StoreError, TwelvefoldError
from twelvefold.server.access.around import Around, Way, enter
from twelvefold.server.access.forgery import FIELD, form_token, refuse_forged
from twelvefold.server.access.keys import Keys
from twelvefold.server.access.loopback import Loopback
from twelvefold.server.access.proxy import TrustedProxy
from twelvefold.server.access.rates import Rates
from twelvefold.server.access.visits import Visits
from twelvefold.server.principal import Principal

_WHO = "twelvefold.principal"
T = TypeVar("T")


class AnyOf:
    """The first way that knows a request decides; one that refuses it ends the search.

    A proxy's header from elsewhere is refused before any other way is asked.
    """

    def __init__(self, *ways: Way) -> None:
        self.ways = ways

    async def principal(self, request: Request) -> Principal | None:
        for way in self.ways:
            if isinstance(way, TrustedProxy):
                way.refuse_strangers(request)
        for way in self.ways:
            if (who := await way.principal(request)) is not None:
                return who
        return None


def any_of(*ways: Way) -> AnyOf:
    """`create_app(app, access=any_of(Keys(), TrustedProxy(networks=[...]), Visits()))`."""
    return AnyOf(*ways)


def known(request: Request) -> Principal | None:
    """Who asks, where that was found out already. Nothing is read for it: a body that another one
    has read would be waited for without end."""
    who = request.scope.get(_WHO)
    return who if isinstance(who, Principal) else None


class Entrance:
    """The `Access` of a server, around the ways that were configured.

    Without any: keys, visits, and this machine as long as there is no key.
    """

    def __init__(self, around: Around, way: Way | None = None, rates: Rates | None = None) -> None:
        self._around, self._rates = around, rates or Rates()
        self._way = way or any_of(Keys(), Visits(), Loopback())

    async def principal(self, request: Request) -> Principal:
        """Who asks, found out once per request: asked again, the same is said again.

        Raises `NotSignedIn`, `NotPermitted`, `TooManyRequests`.
        """
        if _WHO not in request.scope:
            try:
                request.scope[_WHO] = await self._let_in(request)
            except (TwelvefoldError, HTTPException) as refusal:
                request.scope[_WHO] = refusal
        found = request.scope[_WHO]
        if isinstance(found, Exception):
            raise found
        return cast(Principal, found)

    async def lets_in_still(self, request: Request) -> bool:
        """Whether whoever asked is who he was, for an answer that goes on for long. Raises
        `StoreError`."""
        try:
            return await self._way.principal(request) == known(request)
        except StoreError:
            raise
        except TwelvefoldError:
            return False

    def enter(self, request: Request) -> Around:
        """For a route that takes people who are not known yet."""
        enter(request, self._around)
        return self._around

    async def tried(
        self,
        request: Request,
        given: str | None,
        trial: Callable[[], Awaitable[T]],
        *,
        at: str = "",
        wrong: type[TwelvefoldError] = NotSignedIn,
    ) -> T:
        """What a key or token opens; guessing is slowed. Raises `TooManyRequests`.

        `wrong`: what the trial raises for a guess. `at`: what is guessed at, where that is counted
        apart.
        """
        if given is None:
            return await trial()
        self._rates.refuse_guessing(request, given, at=at)
        try:
            opened = await trial()
        except wrong:
            self._rates.failed(request, given, at=at)
            raise
        self._rates.succeeded(request, given)
        return opened

    def csrf_field(self, request: Request) -> Markup:
        """The hidden field for the forms of whoever asked; nothing for nobody."""
        who = known(request)
        if who is None or not who.ambient:
            return Markup("")
        token = form_token(who, self._around)
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)

    async def _let_in(self, request: Request) -> Principal:
        enter(request, self._around)
        who = await self._found(request)
        self._rates.count(who)
        await refuse_forged(request, who, self._around)
        return who

    async def _found(self, request: Request) -> Principal:
        given = request.headers.get("authorization")
        who = await self.tried(request, given, lambda: self._way.principal(request))
        if who is None:
            raise NotSignedIn(
                "This request says nothing about who makes it. Send a key as"
                " `Authorization: Bearer <key>`; `twelvefold keys create` makes one. People sign in"
                " on the page /sign-in."
            )
        return who
