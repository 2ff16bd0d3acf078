"""`Tell`: say something to people and go on."""

from dataclasses import dataclass

from pydantic import BaseModel

from twelvefold.policy import By


@dataclass(frozen=True, slots=True)
class Tell:
    """Send `text` where the thread began, and to people; the step is settled at once.

    It is sent after the commit, tried again when that fails, and never holds up the thread.
    """

    step: BaseModel
    text: str
    to: By | None = None
