"""The six invented teams, and the settings that let Trainwatch know them."""

from dataclasses import dataclass
from typing import Final

COMPANY: Final = "acme"


@dataclass(frozen=True, slots=True)
class Team:
    """A team with its projects, and what it may spend in a month and on one job."""

    id: str
    name: str
    projects: tuple[str, ...]
    monthly_budget_usd: int
    max_job_usd: int


TEAMS: Final = (
    Team("rc", "Risk control", ("fraud", "credit"), 9500, 1200),
    Team("algo", "Algorithms", ("ranking", "pricing", "project", "project-x"), 6000, 800),
    Team("nlp", "Language", ("llm", "intent", "summarize"), 11_500, 2500),
    Team("vision", "Vision", ("detect", "segment", "ocr"), 8000, 1200),
    Team("search", "Search", ("retrieval", "rerank"), 5500, 800),
    Team("growth", "Growth", ("uplift", "creative", "ltv"), 2500, 200),
)


def bucket(team: str, project: str) -> str:
    """The bucket that the convention gives a project."""
    return f"{COMPANY}-sm-{team}-{project}"


def role_name(team: str, project: str) -> str:
    """The execution role that the convention gives a project."""
    return f"SageMaker-{team.title()}-{project.title()}-ExecutionRole"


def settings_text() -> str:
    """The [conventions] and [[teams]] of the simulated account, as TOML."""
    conventions = f"""\
[conventions]
company = "{COMPANY}"
job_name = "{{team}}-{{project}}-{{model_type}}-{{timestamp}}"
bucket = "{{company}}-sm-{{team}}-{{project}}"
execution_role = "SageMaker-{{Team}}-{{Project}}-ExecutionRole"
intermediate_prefix = "models/training/{{job}}/"
artifact_prefix = "models/artifacts/"
team_tags = ["Team"]
project_tags = ["Project"]
"""
    return "\n".join([conventions, *(_team_text(team) for team in TEAMS)])


def _team_text(team: Team) -> str:
    projects = ", ".join(f'"{project}"' for project in team.projects)
    return f"""\
[[teams]]
id = "{team.id}"
name = "{team.name}"
projects = [{projects}]
monthly_budget_usd = {team.monthly_budget_usd}
max_job_usd = {team.max_job_usd}
"""
