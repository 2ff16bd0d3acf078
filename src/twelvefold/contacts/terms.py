"""What was agreed besides who decides: the form of the answer, options, time. Pure.

Only what an effect uses is written, so a request says what it is and no more.
"""

from collections.abc import Mapping
from typing import get_args

from twelvefold.contacts.answers import Decision
from twelvefold.contacts.values import checker
from twelvefold.effects import Approve, Ask
from twelvefold.forms import checked_options
from twelvefold.thread import Json


def terms_of(effect: Approve | Ask) -> Mapping[str, Json]:
    """The keys of `contact_requested` that only some have. Raises `WrongDecision`."""
    data: dict[str, Json] = {}
    if isinstance(effect, Ask) and effect.form is not None:
        checker(effect.form)
        data["form"] = effect.form.to_data()
    if effect.options:
        options = checked_options(effect.options, taken=get_args(Decision))
        data["options"] = [option.to_data() for option in options]
    return data
