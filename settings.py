"""One typed settings object, from `trainwatch.toml` and the environment.

Every setting is declared once, here, with its default and what it means: start-up checks, error messages and
docs/settings.md all come from these declarations.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.attribution import Conventions, Team, Template
from domain.cost import CostRules
from domain.instants import EARLIEST
from domain.money import nusd
from domain.prices import Discount, Price

DEFAULT_FILE = "trainwatch.toml"
ENVIRONMENT_PREFIX = "TRAINWATCH_"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SettingsError(Exception):
    """Settings that cannot be used; the message names file, line, key and what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class Database(_Section):
    """Where facts and derived rows are kept."""

    url: str = Field("sqlite:///var/trainwatch.db", description="SQLite path or PostgreSQL URL (postgresql+psycopg://…)")


class Account(_Section):
    """One AWS account to watch."""

    id: str = Field(pattern=r"^\d{12}$", description="12-digit account number")
    name: str | None = Field(None, description="What people call the account")
    role_arn: str | None = Field(None, description="Role assumed for reading; none means the credentials at hand")
    action_role_arn: str | None = Field(None, description="Role assumed for actions")
    external_id: str | None = Field(None, description="External id for both roles")
    regions: list[str] = Field(default_factory=list, description="Regions of this account; none means [aws] regions")


class Aws(_Section):
    """Which accounts and regions are watched."""

    regions: list[str] = Field(default_factory=list, description="Regions to watch; none means the credentials' own region")
    accounts: list[Account] = Field(default_factory=list, description="Accounts to watch; none means the credentials' own account")


class ConventionSettings(_Section):
    """How names tell whose a job is."""

    company: str = Field("", description="Stands for {company} in templates; empty means any")
    job_name: str = Field("{team}-{project}-{model_type}-{timestamp}", description="How training jobs are named")
    bucket: str = Field("{company}-sm-{team}-{project}", description="How buckets are named")
    execution_role: str = Field("SageMaker-{Team}-{Project}-ExecutionRole", description="How execution roles are named")
    intermediate_prefix: str = Field("models/training/{job}/", description="Where a job's intermediate output lies in its bucket")
    artifact_prefix: str = Field("models/artifacts/", description="Where artifacts lie in a bucket; never cleaned")
    team_tags: list[str] = Field(default_factory=lambda: ["Team"], description="Tag keys that name the team, without regard to case")
    project_tags: list[str] = Field(default_factory=lambda: ["Project"], description="Tag keys that name the project")

    @field_validator("job_name", "bucket", "execution_role")
    @classmethod
    def _has_an_owner(cls, template: str) -> str:
        Template(template, "", ())
        return template


class TeamSettings(_Section):
    """One team."""

    id: str = Field(min_length=1, description="The id used in names, tags and addresses")
    name: str = Field("", description="The name people read")
    projects: list[str] = Field(default_factory=list, description="Ids of its projects")
    monthly_budget_usd: float | None = Field(None, gt=0, description="Budget for a UTC month")
    notify: list[str] = Field(default_factory=list, description="Apprise URLs for messages about the team")


class Collect(_Section):
    """How often AWS is asked."""

    jobs_seconds: int = Field(60, ge=10, description="Seconds between looks at training jobs")
    prices_seconds: int = Field(86400, ge=60, description="Seconds between looks at the Price List")
    history_days: int = Field(400, ge=1, le=3650, description="How far the first run goes back")
    sweep_days: int = Field(60, ge=1, le=400, description="How far back the daily sweep looks for tags edited later")


class DiscountSettings(_Section):
    """What an account pays less than list price."""

    percent: float = Field(gt=0, lt=100, description="Percent off list price")
    account: str | None = Field(None, description="Only for this account")
    family: str | None = Field(None, description="Only for this instance family, such as g5")


class PriceSettings(_Section):
    """A rate that overrides the Price List."""

    region: str = Field(description="Region the rate is for")
    instance_type: str = Field(description="Instance type, or ml_storage for a GB-month of training volume")
    usd_per_hour: Decimal = Field(ge=0, strict=False, description="Dollars per instance hour (per GB-month for ml_storage)")
    since: date | None = Field(None, description="First UTC day of the rate; none means always")


class Cost(_Section):
    """How costs are worked out."""

    spot_billing: Literal["billable_seconds", "training_seconds"] = Field(
        "billable_seconds", description="Which seconds a spot job is billed for; billable_seconds is AWS's formula"
    )
    usd_per_million_tokens: Decimal | None = Field(None, ge=0, description="Price of serverless training; none leaves it unpriced")
    discounts: list[DiscountSettings] = Field(default_factory=list, description="Discounts behind effective costs")
    prices: list[PriceSettings] = Field(default_factory=list, description="Rates that override the Price List")


class Runaway(_Section):
    """When a running job is a finding."""

    idle_gpu_percent: float = Field(5, ge=0, le=100, description="A GPU below this percent is idle")
    idle_minutes: int = Field(30, ge=1, description="For how long")


class Clean(_Section):
    """What may be deleted."""

    min_age_days: int = Field(14, ge=1, description="Days since a job's end before its files may go")
    max_objects: int = Field(1_000_000, ge=1, description="Most objects of one apply")
    max_bytes: str = Field("50 TB", description="Most bytes of one apply")


class Actions(_Section):
    """Limits of actions."""

    max_jobs: int = Field(10, ge=1, description="Most jobs of one stop")


class Access(_Section):
    """Who may do what."""

    public_role: Literal["none", "viewer"] = Field("viewer", description="What a visitor without sign-in may do off loopback")


class Settings(_Section):
    """Everything that can be set; an empty file watches the credentials' own account and region."""

    database: Database = Field(default_factory=Database)
    aws: Aws = Field(default_factory=Aws)
    conventions: ConventionSettings = Field(default_factory=ConventionSettings)
    teams: list[TeamSettings] = Field(default_factory=list)
    collect: Collect = Field(default_factory=Collect)
    cost: Cost = Field(default_factory=Cost)
    runaway: Runaway = Field(default_factory=Runaway)
    clean: Clean = Field(default_factory=Clean)
    actions: Actions = Field(default_factory=Actions)
    access: Access = Field(default_factory=Access)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Settings":
        for what, ids in (
            ("teams", [team.id.casefold() for team in self.teams]),
            ("aws.accounts", [account.id for account in self.aws.accounts]),
        ):
            twice = sorted({one for one in ids if ids.count(one) > 1})
            if twice:
                raise ValueError(f"{what}: the id {twice[0]!r} is there twice; ids must differ, without regard to case")
        return self

    @property
    def naming(self) -> Conventions:
        """The conventions as attribution reads them."""
        own = self.conventions
        return Conventions(own.company, own.job_name, own.bucket, own.execution_role, tuple(own.team_tags), tuple(own.project_tags))

    @property
    def known_teams(self) -> tuple[Team, ...]:
        """The teams of the settings; empty means that they are learned from the account."""
        return tuple(Team(team.id, team.name, tuple(team.projects)) for team in self.teams)

    @property
    def cost_rules(self) -> CostRules:
        """What costs depend on besides prices."""
        tokens = self.cost.usd_per_million_tokens
        discounts = tuple(Discount(one.percent, one.account, one.family) for one in self.cost.discounts)
        return CostRules(self.cost.spot_billing, None if tokens is None else nusd(tokens), discounts)

    @property
    def price_overrides(self) -> list[Price]:
        """The rates that override the Price List."""
        return [Price(one.region, one.instance_type, _midnight(one.since), nusd(one.usd_per_hour), "override") for one in self.cost.prices]


def _midnight(day: date | None) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else EARLIEST


def load(path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a file (else TRAINWATCH_CONFIG, else ./trainwatch.toml if it is there) and the environment.

    Raises SettingsError with file, line, key and expectation for an unknown key, a wrong type, a missing file that was
    named, TOML that cannot be read, or a `${NAME}` that is not in the environment.
    """
    environ = os.environ if environment is None else environment
    named = path or environ.get("TRAINWATCH_CONFIG")
    file = Path(named or DEFAULT_FILE)
    text = _read(file, required=named is not None)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}; expected TOML") from error
    origins = _from_environment(data, environ)
    try:
        return Settings.model_validate(_expanded(data, file, text, environ))
    except ValidationError as error:
        raise SettingsError("\n".join(_in_words(problem, file, text, origins) for problem in error.errors())) from error


def _read(file: Path, *, required: bool) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if required:
            raise SettingsError(f"{file}: there is no such settings file; create it or unset TRAINWATCH_CONFIG") from error
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}; expected a UTF-8 text file") from error


def _from_environment(data: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Puts TRAINWATCH_<SECTION>__<KEY> values into the data; returns which variable each came from.

    A value that reads as TOML (a number, a list, true) is taken as such, anything else as text.
    """
    origins = {}
    for name, value in environ.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not name.startswith(ENVIRONMENT_PREFIX) or not separator:
            continue
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = value
        table = data.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = parsed
            origins[section, key] = name
    return origins


def _expanded(value: Any, file: Path, text: str, environ: Mapping[str, str]) -> Any:
    """The data with every ${NAME} in a string replaced from the environment."""
    if isinstance(value, dict):
        return {key: _expanded(item, file, text, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, file, text, environ) for item in value]
    if not isinstance(value, str):
        return value

    def resolve(found: re.Match[str]) -> str:
        if found[1] not in environ:
            line = next((number for number, row in enumerate(text.splitlines(), 1) if found[0] in row), 0)
            raise SettingsError(f"{file}:{line}: {found[0]} is not in the environment; set {found[1]} or take the reference out")
        return environ[found[1]]

    return _REFERENCE.sub(resolve, value)


def _in_words(problem: Any, file: Path, text: str, origins: Mapping[tuple[str, str], str]) -> str:
    location = tuple(problem["loc"])
    key = ".".join(str(part + 1 if isinstance(part, int) else part) for part in location) or "settings"
    variable = origins.get(location[:2])
    where = variable or f"{file}:{line_of(text, location)}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: {key}: unknown key; expected one of: {', '.join(_expected_keys(location))}"
    found = "" if problem["type"] in ("missing", "value_error") else f" (found {str(problem['input'])[:60]!r})"
    return f"{where}: {key}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _expected_keys(location: tuple[Any, ...]) -> list[str]:
    model: Any = Settings
    for part in location[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = getattr(annotation, "__args__", (annotation,))[0]
    return list(model.model_fields)


def line_of(text: str, location: tuple[Any, ...]) -> int:
    """The line of a key in TOML text, or of the nearest table above it; 1 where it is nowhere."""
    path: list[Any] = []
    counters: dict[tuple[Any, ...], int] = {}
    best = (0, 1)
    for number, row in enumerate(text.splitlines(), 1):
        header = re.match(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]", row)
        if header:
            path = list(header[2].replace('"', "").split("."))
            if header[1] == "[[":
                index = counters[tuple(path)] = counters.get(tuple(path), -1) + 1
                path.append(index)
            best = max(best, (_common(path, location), number), key=lambda found: found[0])
            continue
        assignment = re.match(r"""^\s*["']?([\w\-]+)["']?\s*(?:\.\s*([\w\-]+))?\s*=""", row)
        if assignment:
            here = [*path, *(part for part in assignment.groups() if part)]
            best = max(best, (_common(here, location), number), key=lambda found: found[0])
    return best[1]


def _common(path: list[Any], location: tuple[Any, ...]) -> int:
    """How many leading parts agree; 0 unless the whole path does."""
    return len(path) if tuple(path) == location[: len(path)] else 0
