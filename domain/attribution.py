"""Whose job it is: team and project, each by the first rule that answers, with the rule's name kept."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from domain.text import storable

Rule = Literal["tag", "name", "parent", "role", "bucket", "none"]
UNATTRIBUTED = "unattributed"

# What the SDKs, tuners and people append: 2024-01-01-13-00-00[-123], 20240101-130000, 20240101130000, 240101-1300,
# an epoch with four hex digits, or a tuning child's -001-1a2b3c4d. Source: sagemaker.utils.name_from_base and relatives.
_TIMESTAMP = re.compile(
    r"(?:^|-)(?:\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}(?:-\d{1,3})?|\d{8}-\d{4,6}|\d{14}|\d{6}-\d{4}|\d{10}-[0-9a-f]{4}|\d{3,}-[0-9a-f]{8})$",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\{(company|team|project|model_type|timestamp|job)\}", re.IGNORECASE)


@dataclass(frozen=True)
class Team:
    """A team as settings or the account itself tell of it: its id, its name for people, and the ids of its projects."""

    id: str
    name: str = ""
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conventions:
    """How names tell whose something is; templates over {company} {team} {project} {model_type} {timestamp} {job}."""

    company: str = ""
    job_name: str = "{team}-{project}-{model_type}-{timestamp}"
    bucket: str = "{company}-sm-{team}-{project}"
    execution_role: str = "SageMaker-{Team}-{Project}-ExecutionRole"
    team_tags: tuple[str, ...] = ("Team",)
    project_tags: tuple[str, ...] = ("Project",)


class Owner(NamedTuple):
    """A team and a project read from one text; either may be unknown. `rest` is what the text says behind them."""

    team: str | None
    project: str | None
    rest: str | None = None


class Attribution(NamedTuple):
    """Whose job it is, and by which rule each was decided; `team_known` is False for a team that settings do not list."""

    team: str
    team_rule: Rule
    project: str
    project_rule: Rule
    model_type: str | None
    team_known: bool


class Evidence(NamedTuple):
    """The texts of one job that tell whose it is."""

    name: str
    tags: Mapping[str, str]
    parent: str | None
    role: str | None
    bucket: str | None


@dataclass(frozen=True)
class Directory:
    """The known teams and projects, and how to recognise them in names."""

    teams: tuple[Team, ...]
    conventions: Conventions

    @cached_property
    def _by_text(self) -> dict[str, str]:
        """Team ids by their id and by their name, without regard to case."""
        named = {team.name.casefold(): team.id for team in self.teams if team.name}
        return named | {team.id.casefold(): team.id for team in self.teams}

    @cached_property
    def _projects(self) -> dict[str, dict[str, str]]:
        return {team.id: {project.casefold(): project for project in team.projects} for team in self.teams}

    @cached_property
    def _name(self) -> "Template":
        return Template(self.conventions.job_name, self.conventions.company, self.teams)

    @cached_property
    def _role(self) -> "Template":
        return Template(self.conventions.execution_role, self.conventions.company, self.teams)

    @cached_property
    def _bucket(self) -> "Template":
        return Template(self.conventions.bucket, self.conventions.company, self.teams)

    @cached_property
    def _tag_keys(self) -> tuple[frozenset[str], frozenset[str]]:
        keys = self.conventions
        return frozenset(k.casefold() for k in keys.team_tags), frozenset(k.casefold() for k in keys.project_tags)

    def attribute(self, job: Evidence) -> Attribution:
        """Team and project of a job, each by the first of tag, name, parent, role and bucket that answers."""
        by_name = self._name.owner(job.name)
        answers: tuple[tuple[Rule, Owner], ...] = (
            ("tag", self._tagged(job.tags)),
            ("name", by_name),
            ("parent", self._name.owner(job.parent) if job.parent else _NOBODY),
            ("role", self._cached_role(job.role) if job.role else _NOBODY),
            ("bucket", self._cached_bucket(job.bucket) if job.bucket else _NOBODY),
        )
        team_rule, team = next(((rule, owner.team) for rule, owner in answers if owner.team), ("none", UNATTRIBUTED))
        project_rule, project = next(((rule, owner.project) for rule, owner in answers if owner.project), ("none", UNATTRIBUTED))
        known = team in self._projects
        canonical = self._projects.get(team, {}).get(project.casefold(), project)
        return Attribution(team, team_rule, canonical, project_rule, model_type_from(by_name.rest), known)

    def _tagged(self, tags: Mapping[str, str]) -> Owner:
        team_keys, project_keys = self._tag_keys
        team = project = None
        for key, value in tags.items():
            text = value.strip()
            if not text:
                continue
            if key.casefold() in team_keys and team is None:
                team = self._by_text.get(text.casefold(), storable(text.casefold(), 128))
            elif key.casefold() in project_keys and project is None:
                project = storable(text.casefold(), 128)
        return Owner(team, project)

    @cached_property
    def _cached_role(self):  # type: ignore[no-untyped-def] # an lru_cache around a bound method has no useful type
        return lru_cache(maxsize=4096)(self._role.owner)

    @cached_property
    def _cached_bucket(self):  # type: ignore[no-untyped-def] # as above
        return lru_cache(maxsize=4096)(self._bucket.owner)


_NOBODY = Owner(None, None)


class Template:
    """A naming template that recognises the known teams and projects in a text."""

    def __init__(self, template: str, company: str, teams: Iterable[Team]) -> None:
        self._owners: dict[str, set[tuple[str, str | None]]] = {}
        self.head, self._tail = self._cut(template, company)
        for team in teams:
            for project in team.projects or (None,):
                self._owners.setdefault(self._spelled(team.id, project), set()).add((team.id, project))
        spelled = sorted(self._owners, key=len, reverse=True)
        alternatives = "|".join(map(re.escape, spelled))
        self._pattern = re.compile(f"{self.head}({alternatives})(?=$|[-_.:/])(.*)$", re.DOTALL) if spelled else None

    def owner(self, text: str) -> Owner:
        """The team and project a text names: the longest known spelling wins, two that spell the same decide nothing."""
        found = self._pattern.match(text.casefold()) if self._pattern else None
        if not found:
            return _NOBODY
        rest = found[2].removesuffix(self._tail)
        owners = self._owners[found[1]]
        if len(owners) != 1:
            return _NOBODY
        ((team, project),) = owners
        return Owner(team, project, rest)

    def _cut(self, template: str, company: str) -> tuple[str, str]:
        """The pattern of what stands before team and project, and the literal text behind them at the very end."""
        fields = [(match[1].lower(), match.start(), match.end()) for match in _FIELD.finditer(template)]
        owners = [field for field in fields if field[0] in ("team", "project")]
        if not owners:
            raise ValueError("a naming template has neither {team} nor {project}")
        # Without a company in settings any text may stand in its place.
        before = re.split(r"\{company\}", template[: owners[0][1]], flags=re.IGNORECASE)
        head = (re.escape(company.casefold()) if company else ".+?").join(re.escape(part.casefold()) for part in before)
        self._order = [field[0] for field in owners]
        self._between = template[owners[0][2] : owners[-1][1]].casefold() if len(owners) > 1 else ""
        following = [field for field in fields if field[1] >= owners[-1][2]]
        tail = template[owners[-1][2] : following[0][1] if following else len(template)].casefold()
        return head, "" if following else tail

    def _spelled(self, team: str, project: str | None) -> str:
        parts = {"team": team, "project": project}
        return self._between.join(parts[field] or "" for field in self._order if parts[field]).casefold()


def model_type_from(rest: str | None) -> str | None:
    """The model type in what a job's name says behind team and project, less the timestamps at its end; None without one."""
    if not rest:
        return None
    text = without_timestamps(rest)
    return storable(text.strip("-_."), 128) or None


def without_timestamps(name: str) -> str:
    """A job's name less every timestamp and serial suffix that SDKs and tuners appended."""
    while True:
        shorter = _TIMESTAMP.sub("", name)
        if shorter == name:
            return name
        name = shorter
