"""The teams and projects that an account's own tags, roles and buckets tell of, for when settings list none.

A pure function of the set of distinct texts, so that the order in which jobs were collected never matters.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from domain.attribution import Conventions, Evidence, Team


class Clue(NamedTuple):
    """One distinct text that tells of a team: `kind` is tag, role or bucket; a tag's value is `team/project`."""

    kind: str
    value: str


_SEPARATOR = "\x1f"


def clues_of(job: Evidence, conventions: Conventions) -> set[Clue]:
    """What one job tells of teams and projects."""
    team_keys = {key.casefold() for key in conventions.team_tags}
    project_keys = {key.casefold() for key in conventions.project_tags}
    lowered = {key.casefold(): value.strip().casefold() for key, value in job.tags.items()}
    team = next((value for key, value in lowered.items() if key in team_keys and value), None)
    project = next((value for key, value in lowered.items() if key in project_keys and value), "")
    clues = {Clue("tag", f"{team[:128]}{_SEPARATOR}{project[:128]}".replace("\0", "�"))} if team else set()
    if job.role:
        clues.add(Clue("role", job.role.casefold()[:256]))
    if job.bucket:
        clues.add(Clue("bucket", job.bucket.casefold()[:256]))
    return clues


def learned_teams(clues: Iterable[Clue], conventions: Conventions) -> tuple[Team, ...]:
    """The teams and projects that the clues tell of, sorted by id.

    Tags say both outright. A role or bucket that fits its template says them where only one split into team and project
    is possible, or where a team known from tags (the longest that fits) settles it; otherwise it says nothing.
    """
    pairs: set[tuple[str, str]] = set()
    middles: set[str] = set()
    patterns = {
        "role": _middle_pattern(conventions.execution_role, conventions.company),
        "bucket": _middle_pattern(conventions.bucket, conventions.company),
    }
    for clue in clues:
        if clue.kind == "tag":
            team, _, project = clue.value.partition(_SEPARATOR)
            pairs.add((team, project))
        else:
            pattern = patterns.get(clue.kind)
            found = pattern.match(clue.value) if pattern else None
            if found:
                middles.add(found[1])
    tagged = sorted({team for team, _ in pairs}, key=len, reverse=True)
    for middle in middles:
        pair = _split(middle, tagged)
        if pair:
            pairs.add(pair)
    projects: dict[str, set[str]] = {}
    for team, project in pairs:
        projects.setdefault(team, set()).update({project} if project else ())
    return tuple(Team(team, "", tuple(sorted(found_projects))) for team, found_projects in sorted(projects.items()))


def _split(middle: str, tagged: list[str]) -> tuple[str, str] | None:
    if middle.count("-") == 1:
        team, _, project = middle.partition("-")
        return (team, project) if team and project else None
    for team in tagged:
        if middle.startswith(f"{team}-") and len(middle) > len(team) + 1:
            return team, middle[len(team) + 1 :]
    return None


def _middle_pattern(template: str, company: str) -> re.Pattern[str] | None:
    """Matches what stands where `{team}-{project}` does; None for a template of another form, from which nothing is learned."""
    head, found, tail = template.casefold().partition("{team}-{project}")
    if not found or "{" in head.replace("{company}", "") + tail:
        return None
    prefix = (re.escape(company.casefold()) if company else ".+?").join(map(re.escape, head.split("{company}")))
    return re.compile(f"^{prefix}(.+?){re.escape(tail)}$")
