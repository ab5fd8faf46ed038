"""Who may do what: a person's role, and the one answer to whether they may act on a team's jobs."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["none", "viewer", "operator", "admin"]
RANKS: tuple[Role, ...] = ("none", "viewer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who looks or acts. `name` is how the audit log calls them, `via` how we know who they are.

    `teams` are an operator's own; they mean nothing for other roles.
    """

    name: str
    role: Role
    teams: frozenset[str] = frozenset()
    via: Literal["sign-in", "local", "shell", "policy", "visitor"] = "visitor"

    @property
    def may_see(self) -> bool:
        """Whether pages show anything."""
        return self.role != "none"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done, in words that say what to do instead. `code` is for programs and tests."""

    code: str
    why: str


def may_act(person: Person, team: str) -> Refusal | None:
    """Why the person may not act on a job of the team; None when they may. Team ids are compared without regard to case."""
    if person.role == "admin":
        return None
    if person.role != "operator":
        how = "sign in" if person.via == "visitor" else "ask an admin for the operator role"
        return Refusal("not_allowed", f"{person.name} may look but not act; {how} to stop jobs ([access] in the settings)")
    if team.casefold() in {own.casefold() for own in person.teams}:
        return None
    own_teams = ", ".join(sorted(person.teams)) or "none"
    return Refusal("other_team", f"the job is of team {team}, and {person.name} may act on jobs of: {own_teams}; ask an admin or that team")


def higher(one: Role, another: Role) -> Role:
    """The role that may do more."""
    return max(one, another, key=RANKS.index)
