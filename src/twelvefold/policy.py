"""Who may decide, how many are needed, and what a channel's proof of identity may settle.

A policy is data: names, roles and policies inside it. What a role holds, and which names are one
person, is asked of a directory each time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import ConfigurationError, WrongDecision
from twelvefold.thread import Json

Risk = Literal["low", "medium", "high"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Role:
    """Whoever has this role in the directory when an answer is judged."""

    name: str

    def __str__(self) -> str:
        return f"role {self.name}"


@dataclass(frozen=True, slots=True)
class Policy:
    """`needed` of `people`: names, roles and policies, which count one each.

    Among the names and the roles, one person counts once. A policy inside counts when it is met, so
    one vote may count in several. `four_eyes`: who asked for the step does not count. `without`:
    who gave a place away, and does not count through a role either.
    """

    people: tuple["str | Role | Policy", ...]
    needed: int = 1
    four_eyes: bool = False
    without: tuple[str, ...] = ()

    def allows(
        self,
        person: str,
        directory: Directory = NAMES_ALONE,
        *,
        initiators: Collection[str] = (),
    ) -> bool:
        """Whether a vote of this person would count here."""
        counted = self._counted((person,), directory, initiators)
        return bool(counted & self.members(directory)) or any(
            policy.allows(one, directory, initiators=initiators)
            for policy in self.policies
            for one in counted
        )

    def met_by(
        self,
        approvers: Collection[str],
        directory: Directory = NAMES_ALONE,
        *,
        initiators: Collection[str] = (),
    ) -> bool:
        """Whether these votes suffice, those of people removed since left out."""
        counted = self._counted(approvers, directory, initiators)
        people = {person.casefold() for person in counted & self.members(directory)}
        inside = [p.met_by(counted, directory, initiators=initiators) for p in self.policies]
        return len(people) + sum(inside) >= self.needed

    def _counted(
        self, people: Collection[str], directory: Directory, initiators: Collection[str]
    ) -> set[str]:
        barred = (*self.without, *initiators) if self.four_eyes else self.without
        out = {directory.person(name).casefold() for name in barred}
        known = {directory.person(name) for name in people}
        return {person for person in known if person.casefold() not in out}

    def members(self, directory: Directory = NAMES_ALONE) -> frozenset[str]:
        """The people themselves: those named, and those who have a role that is named."""
        named = {directory.person(name) for name in self.names if directory.knows(name)}
        return frozenset(named).union(*(directory.members(role.name) for role in self.roles))

    def everybody(self, directory: Directory = NAMES_ALONE) -> frozenset[str]:
        """All whose vote may count somewhere in it."""
        inside = (policy.everybody(directory) for policy in self.policies)
        found = self.members(directory).union(*inside)
        return frozenset(self._counted(found, directory, ()))

    def replaced(self, old: str, new: str, directory: Directory = NAMES_ALONE) -> "Policy":
        """`new` in every place of `old`, who then counts nowhere. Of a role that `old` has, `new`
        takes this one place, not the role."""
        if any(_same(name, old, directory) for name in self.without):
            return self
        people = [_replaced(one, old, new, directory) for one in self.people]
        without = [name for name in self.without if not _same(name, new, directory)]
        having = [name for role in self.roles for name in directory.members(role.name)]
        if any(_same(name, old, directory) for name in having):
            people, without = [*people, new], [*without, old]
        people, without = tuple(dict.fromkeys(people)), tuple(dict.fromkeys(without))
        return replace(self, people=people, without=without)

    @property
    def needs_four_eyes(self) -> bool:
        """Whether anywhere in it."""
        return self.four_eyes or any(policy.needs_four_eyes for policy in self.policies)

    @property
    def names(self) -> Sequence[str]:
        return [one for one in self.people if isinstance(one, str)]

    @property
    def roles(self) -> Sequence[Role]:
        return [one for one in self.people if isinstance(one, Role)]

    @property
    def policies(self) -> Sequence["Policy"]:
        return [one for one in self.people if isinstance(one, Policy)]

    def to_data(self) -> dict[str, Json]:
        data: dict[str, Json] = {"people": list(map(_to_data, self.people)), "needed": self.needed}
        if self.four_eyes:
            data["four_eyes"] = True
        return data | ({"without": list(self.without)} if self.without else {})

    @staticmethod
    def from_data(data: Mapping[str, Json]) -> "Policy":
        people = tuple(map(_from_data, data["people"]))
        four_eyes, without = data.get("four_eyes", False), tuple(data.get("without", ()))
        return Policy(people, data["needed"], four_eyes, without)

    def __str__(self) -> str:
        each = [f"({one})" if isinstance(one, Policy) else str(one) for one in self.people]
        told = " or ".join(each) if self.needed == 1 else f"{self.needed} of {', '.join(each)}"
        return f"{told}, but nobody who asked for it" if self.four_eyes else told


def _replaced(one: "Member", old: str, new: str, directory: Directory) -> "Member":
    if isinstance(one, Policy):
        return one.replaced(old, new, directory)
    return new if isinstance(one, str) and _same(one, old, directory) else one


def _same(one: str, other: str, directory: Directory) -> bool:
    return directory.person(one).casefold() == directory.person(other).casefold()


def _to_data(one: str | Role | Policy) -> Json:
    if isinstance(one, Policy):
        return one.to_data()
    return {"role": one.name} if isinstance(one, Role) else one


def _from_data(one: Json) -> str | Role | Policy:
    if not isinstance(one, dict):
        return str(one)
    data = cast("dict[str, Json]", one)
    return Role(data["role"]) if "role" in data else Policy.from_data(data)


Member = str | Role | Policy
By = Member | Sequence[Member]
"""How `decide` names responders: a person or a role, several of which any one decides, or a
policy."""


def role(name: str) -> Role:
    return Role(name)


def any_of(*of: Member) -> Policy:
    """Any one of them."""
    return Policy(_flat(of))


def at_least(needed: int, *of: Member) -> Policy:
    """So many different people out of all of these. What `all_of` makes counts once, when met."""
    return Policy(_flat(of), needed)


def all_of(*of: Member) -> Policy:
    """Each of them. Who is in two of them may say yes for both."""
    each = tuple(Policy((one,)) if isinstance(one, Role) else one for one in of)
    return Policy(each, len(each))


def not_an_initiator(by: By) -> Policy:
    """Four eyes: the same, but without those who asked for the step."""
    return replace(policy_of(by), four_eyes=True)


def _flat(of: Sequence[Member]) -> tuple[Member, ...]:
    """Any-of inside any-of is one list: else one person's vote could count twice in it."""
    return tuple(
        member
        for one in of
        for member in (one.people if isinstance(one, Policy) and _is_plain(one) else (one,))
    )


def _is_plain(policy: Policy) -> bool:
    return policy.needed == 1 and not policy.four_eyes and not policy.without


def policy_of(by: By) -> Policy:
    """Raises `WrongDecision` when nobody could ever answer, whoever there is."""
    if isinstance(by, Policy):
        policy = by
    else:
        policy = Policy((by,) if isinstance(by, str | Role) else tuple(by))
    if not _could_be_met(policy):
        raise WrongDecision(
            "A contact needs somebody who may answer it: name a person in `by` or `to`."
        )
    return policy


def _could_be_met(policy: Policy) -> bool:
    if not all(policy.names) or not all(one.name for one in policy.roles):
        return False
    if policy.needed < 1 or not all(map(_could_be_met, policy.policies)):
        return False
    many = len({name.casefold() for name in policy.names}) + len(policy.policies)
    return bool(policy.roles) or many >= policy.needed


def checked_policy(
    by: By, directory: Directory | None, *, initiators: Collection[str] = ()
) -> Policy:
    """The policy, if these people can meet it now; None asks nobody who they are (a replay).

    Raises `WrongDecision` for an unknown role or person, and when nobody is left who may decide.
    """
    policy = policy_of(by)
    if directory is None:
        return policy
    for complaint in _complaints(policy, directory):
        raise WrongDecision(complaint)
    if not policy.met_by(policy.everybody(directory), directory, initiators=initiators):
        who = ", ".join(sorted(policy.everybody(directory)))
        raise WrongDecision(
            f"{policy} cannot be met by {who}: name more people, or give the role to more of them."
        )
    return policy


def _complaints(policy: Policy, directory: Directory) -> Iterator[str]:
    for one in policy.roles:
        if one.name not in directory.roles and not directory.roles:
            yield f"{one}: there is no directory that says who that is; give App(directory=...)."
        elif one.name not in directory.roles:
            yield f"{one}: the directory has only {', '.join(sorted(directory.roles))}."
        elif not directory.members(one.name):
            yield f"{one}: nobody has it. Give it to somebody in the directory."
    for name in policy.names:
        if not directory.knows(name):
            yield f"The directory knows no active {name!r}: correct the name, or add the person."
    for inside in policy.policies:
        yield from _complaints(inside, directory)


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
