"""How every page is made, from one environment of templates.

Templates escape whatever they are given; a text that somebody else wrote goes through `shown`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from twelvefold.notices import visible
from twelvefold.server.pages import texts
from twelvefold.server.pages.assets import PACKAGE, assets
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving


def page(
    request: Request,
    serving: Serving,
    template: str,
    *,
    who: Principal | None = None,
    status: int = 200,
    **view: Any,
) -> HTMLResponse:
    """A page from a template that extends `base.html`. `who`: the one signed in, shown on top."""
    at = partial(serving.at, request)
    given: dict[str, Any] = {
        "now": datetime.now(UTC),
        "person": who and (who.person or who.name),
        **view,
    }
    around: dict[str, Any] = {
        "at": at,
        "static": partial(_static, at),
        "visit": bool(who and who.visit),
        "csrf_field": serving.access.csrf_field(request),
        "here": request.url.path.removeprefix(at("")),
    }
    text = _templates().get_template(template).render(given | around)
    # A lone surrogate that somebody sent must not be an error of its own.
    return HTMLResponse(text.encode(errors="backslashreplace"), status)


def see_other(request: Request, serving: Serving, path: str) -> Response:
    """After a form: the page that says what happened, which is safe to load again."""
    return RedirectResponse(serving.at(request, path), 303)


def _static(at: Callable[[str], str], name: str) -> str:
    return at(assets()[name].path)


@cache
def _templates() -> Environment:
    env = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "shown": texts.shown,
        "visible": visible,
        "shown_lines": texts.shown_lines,
        "in_words": texts.in_words,
        "ago": texts.long_ago,
        "until": texts.until,
        "moment": texts.moment,
    }
    env.filters.update(filters)
    return env
