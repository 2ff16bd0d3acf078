"""What requests have in common: nothing but what is described, and pages of a bounded size."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from twelvefold.server.api.cursors import CURSOR_CHARS_MAX

PAGE_MAX = 200
PAGE = 50

Cursor = Annotated[
    str | None,
    Field(max_length=CURSOR_CHARS_MAX, description="The `next_cursor` of the page before."),
]


class Asked(BaseModel):
    """Unknown fields are refused: they would otherwise be a wish that nobody grants."""

    model_config = ConfigDict(extra="forbid")
