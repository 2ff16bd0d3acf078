"""What was agreed besides who decides: the form of the answer, options, time. Pure.

Only what an effect uses is written, so a request says what it is and no more.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import get_args

from twelvefold.contacts.answers import Decision
from twelvefold.contacts.values import checker
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask, Escalate
from twelvefold.exceptions import WrongDecision
from twelvefold.forms import checked_options
from twelvefold.policy import checked_policy, not_an_initiator, policy_of
from twelvefold.thread import Json


def terms_of(
    effect: Approve | Ask, directory: Directory | None, *, initiators: Collection[str]
) -> Mapping[str, Json]:
    """The keys of `contact_requested` that only some have. Raises `WrongDecision`."""
    data: dict[str, Json] = {}
    if isinstance(effect, Ask) and effect.form is not None:
        checker(effect.form)
        data["form"] = effect.form.to_data()
    if effect.options:
        options = checked_options(effect.options, taken=get_args(Decision))
        data["options"] = [option.to_data() for option in options]
    if effect.on_expiry != "deny":
        data["on_expiry"] = _on_expiry(effect, directory, initiators)
    _check_length("within", effect.within)
    if effect.remind is not None:
        _check_length("remind", effect.remind)
        data["remind_s"] = effect.remind.total_seconds()
    if effect.withdraw_on_message:
        data["withdraw_on_message"] = True
    return data


def _on_expiry(
    effect: Approve | Ask, directory: Directory | None, initiators: Collection[str]
) -> dict[str, Json]:
    then = effect.on_expiry
    if effect.within is None:
        raise WrongDecision("on_expiry= needs within=: a contact without a deadline never expires.")
    if isinstance(then, Escalate):
        _check_length("escalate(within=)", then.within)
        asked = policy_of(effect.by if isinstance(effect, Approve) else effect.to)
        others = not_an_initiator(then.to) if asked.needs_four_eyes else then.to
        to = checked_policy(others, directory, initiators=initiators)
        return {"escalate": {"to": to.to_data(), "within_s": then.within.total_seconds()}}
    if then not in (names := [option.name for option in effect.options]):
        raise WrongDecision(
            f'on_expiry={then!r} is no option of this contact: use "deny", escalate(...) or one of'
            f" {names}."
        )
    return {"option": then}


def _check_length(name: str, length: timedelta | None) -> None:
    if length is not None and length <= timedelta():
        raise WrongDecision(f"{name} is {length}: a time from now on, longer than nothing.")
