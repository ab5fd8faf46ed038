"""One typed settings object, from `trainwatch.toml` and the environment.

Every setting is declared once, here, with its default and what it means: start-up checks, error messages and
docs/settings.md all come from these declarations.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.attribution import Conventions, Team, Template
from domain.cleaning import parse_bytes
from domain.cost import CostRules
from domain.findings.thresholds import STOPPABLE, THRESHOLD_NAMES, Thresholds
from domain.instants import EARLIEST
from domain.money import nusd
from domain.prices import Discount, Price

DEFAULT_FILE = "trainwatch.toml"
ENVIRONMENT_PREFIX = "TRAINWATCH_"
_HOST = re.compile(r"[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(?::\d{1,5})?")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SettingsError(Exception):
    """Settings that cannot be used; the message names file, line, key and what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class Database(_Section):
    """Where facts and derived rows are kept."""

    url: str = Field("sqlite:///var/trainwatch.db", description="SQLite path or PostgreSQL URL (postgresql+psycopg://…)")
    keep_days: int = Field(
        180, ge=30, description="Days for which collector runs, messages and the object lists of clean plans are kept; facts always are"
    )


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
    checkpoint_prefix: str = Field("checkpoints/{job}/", description="Where checkpoints lie in a bucket, for the operator's policy alone")
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
    max_job_usd: float | None = Field(None, gt=0, description="What one job may cost before it is a finding; none means any amount")
    notify: list[str] = Field(default_factory=list, description="Apprise URLs for messages about the team")


class Collect(_Section):
    """How often AWS is asked."""

    jobs_seconds: int = Field(60, ge=10, description="Seconds between looks at training jobs")
    prices_seconds: int = Field(86400, ge=60, description="Seconds between looks at the Price List")
    metrics_seconds: int = Field(300, ge=60, description="Seconds between looks at the metrics of live jobs, at $0.01 per 1,000 metrics")
    metric_calls: int = Field(40, ge=1, description="Most GetMetricData calls of one look, of 500 metrics each; GPU jobs come first")
    logs_seconds: int = Field(600, ge=60, description="Seconds between looks at when live jobs last logged")
    tuning_seconds: int = Field(300, ge=60, description="Seconds between looks at tuning jobs")
    checkpoints_seconds: int = Field(
        300, ge=60, description="Seconds between looks at the checkpoints of live spot jobs, at $0.005 per 1,000"
    )
    models_seconds: int = Field(3600, ge=300, description="Seconds between looks at what SageMaker models refer to")
    leftovers_seconds: int = Field(21600, ge=900, description="Seconds between inventories of what training left in S3")
    history_days: int = Field(400, ge=1, le=3650, description="How far the first run goes back")
    sweep_days: int = Field(60, ge=1, le=400, description="How far back the daily sweep looks for tags edited later")

    def seconds(self, collector: str) -> int:
        """How often a collector runs."""
        return int(getattr(self, f"{collector}_seconds"))


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


class RunawayTeam(_Section):
    """Other thresholds for one team; what is not given is as for everybody."""

    id: str = Field(min_length=1, description="The team's id")
    idle_gpu_percent: float | None = Field(None, ge=0, le=100, description="As above")
    idle_cpu_percent: float | None = Field(None, ge=0, le=100, description="As above")
    idle_minutes: int | None = Field(None, ge=1, description="As above")
    slow_gpu_percent: float | None = Field(None, ge=0, le=100, description="As above")
    slow_minutes: int | None = Field(None, ge=1, description="As above")
    hung_minutes: int | None = Field(None, ge=1, description="As above")
    diverged_minutes: int | None = Field(None, ge=1, description="As above")
    over_runtime_factor: float | None = Field(None, ge=1, description="As above")
    no_limit_hours: float | None = Field(None, gt=0, description="As above")


class Runaway(_Section):
    """When a running job is a finding. Percents are of a host's capacity: of all its GPUs, or all its cores."""

    idle_gpu_percent: float = Field(5, ge=0, le=100, description="A GPU host below this percent is idle")
    idle_cpu_percent: float = Field(5, ge=0, le=100, description="A CPU host below this percent is idle")
    idle_minutes: int = Field(30, ge=1, description="For how long a host is idle before it is a finding")
    slow_gpu_percent: float = Field(20, ge=0, le=100, description="A GPU host below this percent, and not idle, is slow")
    slow_minutes: int = Field(60, ge=1, description="For how long a GPU is slow, or GPUs are unused, before it is a finding")
    hung_gpu_percent: float = Field(90, ge=0, le=100, description="A GPU that stays above this percent without moving may hang")
    hung_minutes: int = Field(90, ge=1, description="For how long GPUs, metrics, logs and checkpoints must stand still")
    diverged_minutes: int = Field(720, ge=1, description="For how long a loss may stop getting better")
    over_runtime_factor: float = Field(2, ge=1, description="Times the 95th percentile of a family's runs that a run may last")
    over_runtime_jobs: int = Field(5, ge=1, description="Fewest successful runs from which a family is judged")
    near_limit_percent: float = Field(90, gt=0, le=100, description="How much of a time limit may be used")
    no_limit_hours: float = Field(12, gt=0, description="How long a job may run on a limit that nobody chose")
    no_limit_days: float = Field(5, gt=0, description="A limit above this is none")
    stuck_starting_minutes: int = Field(30, ge=1, description="How long a job may be Starting")
    stuck_pending_minutes: int = Field(120, ge=1, description="How long a job may wait for capacity (Pending)")
    stuck_downloading_minutes: int = Field(60, ge=1, description="How long a job may be Downloading")
    stuck_uploading_minutes: int = Field(60, ge=1, description="How long a job may be Uploading")
    stuck_stopping_minutes: int = Field(30, ge=1, description="How long a job may be Stopping")
    thrash_interruptions: int = Field(3, ge=1, description="How often spot capacity may be taken back")
    warm_pool_minutes: int = Field(15, ge=1, description="How long a warm pool may be kept without being used")
    stale_minutes: int = Field(15, ge=1, description="Facts older than this are no longer judged, and policies do not act on them")
    teams: list[RunawayTeam] = Field(default_factory=list, description="Other thresholds for single teams")


class Clean(_Section):
    """What may be deleted."""

    min_age_days: int = Field(14, ge=1, description="Days since a job's end before its files may go")
    max_objects: int = Field(1_000_000, ge=1, description="Most objects of one apply")
    max_bytes: str = Field("50 TB", description="Most bytes of one apply, such as 50 TB or 1.5 GiB")
    shared_buckets: list[str] = Field(
        default_factory=list, description="Buckets that accounts which are not watched here may read; never cleaned"
    )

    @field_validator("max_bytes")
    @classmethod
    def _is_a_size(cls, value: str) -> str:
        parse_bytes(value)
        return value


class Actions(_Section):
    """Limits of actions."""

    max_jobs: int = Field(10, ge=1, description="Most jobs of one stop")


class PersonSettings(_Section):
    """What one person may do, by the e-mail address of their sign-in."""

    email: str = Field(min_length=3, description="The address, without regard to case")
    role: Literal["viewer", "operator", "admin"] = Field(description="viewer sees; operator acts on jobs of own teams; admin on all")
    teams: list[str] = Field(default_factory=list, description="The operator's own teams")


class GroupSettings(_Section):
    """What everybody may do whose sign-in carries a value of the claim."""

    value: str = Field(min_length=1, description="The value, exactly")
    role: Literal["viewer", "operator", "admin"] = Field(description="viewer sees; operator acts on jobs of own teams; admin on all")
    teams: list[str] = Field(default_factory=list, description="The operators' own teams")


class Access(_Section):
    """Who may do what."""

    public_role: Literal["none", "viewer"] = Field(
        "none", description="What a visitor without sign-in may do off loopback, under a name in hosts; never more"
    )
    hosts: list[str] = Field(
        default_factory=list, description="Names it answers to besides loopback, [notify] base_url and the sign-in's redirect_uri"
    )
    embedded_in: list[str] = Field(
        default_factory=list, description="Origins whose pages may show it in a frame, such as https://portal.acme.example"
    )
    metrics_token: str | None = Field(
        None,
        min_length=16,
        description="Bearer token for /metrics and the details of /healthz off loopback, such as ${TRAINWATCH_METRICS_TOKEN}",
    )
    signed_in_role: Literal["none", "viewer"] = Field("viewer", description="What somebody may do who signed in and is named nowhere")
    role_claim: str = Field("groups", description="The claim of the sign-in, text or list, that groups are looked up in")
    people: list[PersonSettings] = Field(default_factory=list, description="People by e-mail address")
    groups: list[GroupSettings] = Field(default_factory=list, description="People by a claim of their sign-in")

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError("no host name; expected names or addresses alone, such as trainwatch.acme.example")
        return [host.strip("[]").lower() for host in hosts]

    @field_validator("embedded_in")
    @classmethod
    def _are_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("no origin; expected scheme and host alone, such as https://portal.acme.example")
        return origins


class SignIn(_Section):
    """Sign-in with OpenID Connect; without a metadata_url there is none."""

    metadata_url: str | None = Field(None, description="The provider's …/.well-known/openid-configuration")
    client_id: str | None = Field(None, description="This dashboard's id at the provider")
    client_secret: str | None = Field(None, description="Its secret, such as ${TRAINWATCH_OIDC_SECRET}")
    redirect_uri: str | None = Field(None, description="This dashboard's address with /oauth2callback behind it")
    cookie_secret: str | None = Field(None, description="A long random text that signs the session cookie")

    @model_validator(mode="after")
    def _is_whole(self) -> "SignIn":
        given = [name for name in SignIn.model_fields if getattr(self, name) is not None]
        missing = [name for name in SignIn.model_fields if name not in given]
        if given and missing:
            raise ValueError(f"sign-in needs all of its keys; missing: {', '.join(missing)}")
        if self.cookie_secret is not None and len(self.cookie_secret) < 32:
            raise ValueError("cookie_secret is too short; make one of at least 32 characters, with: openssl rand -hex 32")
        return self


class Dashboard(_Section):
    """How the dashboard behaves."""

    refresh_seconds: int = Field(20, ge=1, description="Seconds between looks for newer data by a page that is open")


class Notify(_Section):
    """Whom messages reach besides the teams' own channels, and when."""

    on_call: list[str] = Field(default_factory=list, description="Apprise URLs for whoever is on call")
    base_url: str = Field("http://localhost:8501", description="The dashboard's address, for links in messages")
    quiet_hours: str = Field(
        "", pattern=r"^(\d{2}:\d{2}-\d{2}:\d{2})?$", description="Such as 22:00-07:00: only critical messages, to on_call"
    )
    quiet_zone: str = Field("UTC", description="The time zone of quiet_hours, such as Europe/Berlin")
    digest_over: int = Field(5, ge=1, description="More messages than this to one channel at once become a digest")
    late_minutes: int = Field(30, ge=1, description="A collector that has not succeeded for this long is reported")

    @field_validator("quiet_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not a time zone; expected one such as Europe/Berlin") from error
        return name

    @field_validator("quiet_hours")
    @classmethod
    def _are_times(cls, hours: str) -> str:
        for part in hours.split("-") if hours else ():
            try:
                time.fromisoformat(part)
            except ValueError as error:
                raise ValueError("not two times of day; expected such as 22:00-07:00") from error
        return hours


class PolicySettings(_Section):
    """What happens by itself to findings of some rules: warn, warn, stop. Nothing happens unless enabled, nor while dry_run."""

    name: str = Field(min_length=1, max_length=60, description="The name that the audit log and messages use")
    rules: list[str] = Field(min_length=1, description="Names of rules, such as idle_gpu")
    teams: list[str] = Field(default_factory=list, description="Only jobs of these teams; none means all")
    enabled: bool = Field(False, description="Whether it does anything")
    dry_run: bool = Field(True, description="Only say what would have been done")
    evidence_minutes: int = Field(60, ge=1, description="How long the evidence must have held before the first warning")
    warn_minutes: int = Field(30, ge=1, description="Between the first warning and the second")
    grace_minutes: int = Field(30, ge=1, description="Between the second warning and the stop")
    exempt_tags: list[str] = Field(
        default_factory=lambda: ["trainwatch:exempt"], description="Jobs with any of these tag keys are left alone"
    )
    max_stops_per_hour: int = Field(2, ge=1, description="Most jobs it stops in an hour")


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
    sign_in: SignIn = Field(default_factory=SignIn)
    dashboard: Dashboard = Field(default_factory=Dashboard)
    notify: Notify = Field(default_factory=Notify)
    policies: list[PolicySettings] = Field(default_factory=list)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Settings":
        for what, ids in (
            ("teams", [team.id.casefold() for team in self.teams]),
            ("aws.accounts", [account.id for account in self.aws.accounts]),
            ("runaway.teams", [team.id.casefold() for team in self.runaway.teams]),
            ("access.people", [person.email.casefold() for person in self.access.people]),
            ("policies", [policy.name.casefold() for policy in self.policies]),
        ):
            places = [number for number, name in enumerate(ids, 1) if ids.count(name) > 1]
            if places:
                raise ValueError(f"{what}: entries {places[0]} and {places[1]} have the same id; ids must differ, without regard to case")
        return self

    @model_validator(mode="after")
    def _policies_name_rules(self) -> "Settings":
        for policy in self.policies:
            if not set(policy.rules) <= set(STOPPABLE):
                raise ValueError(
                    f"policies: rules: not all of them are rules that a policy may act on; expected of: {', '.join(STOPPABLE)}"
                )
        return self

    def thresholds(self, team: str) -> Thresholds:
        """The thresholds of the runaway rules for a team's jobs."""
        own = self.runaway
        other = next((one for one in own.teams if one.id.casefold() == team.casefold()), None)
        values = {name: getattr(own, name) for name in THRESHOLD_NAMES}
        changed = {name: getattr(other, name, None) for name in THRESHOLD_NAMES} if other else {}
        cap = next((one.max_job_usd for one in self.teams if one.id.casefold() == team.casefold()), None)
        values |= {name: value for name, value in changed.items() if value is not None}
        return Thresholds(**values, max_job_nusd=None if cap is None else nusd(str(cap)))

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
    # Never the value itself: it may be a secret, and errors go to terminals and logs.
    found = "" if problem["type"] in ("missing", "value_error") else f" (found {_kind(problem['input'])})"
    return f"{where}: {key}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _kind(value: object) -> str:
    """What kind of value was found, as TOML calls it."""
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "another kind of value")


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
