"""Who may decide, how many are needed, and what a channel's proof of identity may settle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from twelvefold.exceptions import ConfigurationError, WrongDecision
from twelvefold.thread import Json

Risk = Literal["low", "medium", "high"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Policy:
    """`needed` distinct people of `people`; one, as a rule."""

    people: tuple[str, ...]
    needed: int = 1

    def allows(self, person: str) -> bool:
        return person in self.people

    def met_by(self, approvers: Sequence[str]) -> bool:
        """Whether these votes suffice. One person's votes count once."""
        return len(set(approvers) & set(self.people)) >= self.needed

    def to_data(self) -> dict[str, Json]:
        return {"people": list(self.people), "needed": self.needed}

    @staticmethod
    def from_data(data: Mapping[str, Json]) -> "Policy":
        return Policy(tuple(data["people"]), data["needed"])

    def __str__(self) -> str:
        return " or ".join(self.people)


By = str | Sequence[str] | Policy
"""How `decide` names responders: a person, several of whom any one decides, or a policy."""


def policy_of(by: By) -> Policy:
    """Raises `WrongDecision` when nobody could ever answer."""
    if isinstance(by, str):
        by = (by,)
    policy = by if isinstance(by, Policy) else Policy(tuple(by))
    if len(set(policy.people)) < max(policy.needed, 1) or not all(policy.people):
        raise WrongDecision(
            "A contact needs somebody who may answer it: name a person in `by` or `to`."
        )
    return policy


@dataclass(frozen=True, slots=True)
class Settles:
    """Up to which risk an assurance level may decide, for example {"local": "high"}.

    An assurance level that is not named settles nothing above low.
    """

    levels: Mapping[str, Risk]

    def __post_init__(self) -> None:
        for level, risk in self.levels.items():
            if risk not in RISKS:
                raise ConfigurationError(
                    f"settles[{level!r}] is {risk!r}; use one of {', '.join(RISKS)}."
                )

    def allows(self, assurance: str, risk: Risk) -> bool:
        highest = self.levels.get(assurance, "low")
        return RISKS.index(risk) <= RISKS.index(highest)
