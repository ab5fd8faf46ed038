"""What a period cost as a tree: team, project, model type, and the dearest jobs as leaves."""

from collections.abc import Iterator, Mapping, Sequence

from domain.period import Period
from ui import reads
from ui.words import html, shown, usd

IN_TREE = 60


def treemap_nodes(period: Period, teams: Sequence[str]) -> list[tuple[str, str, str, int, str]]:
    """Nodes of the treemap as (id, label, parent id, nano-dollars, team), jobs under the dearest model types."""
    sums: dict[tuple[str, ...], int] = {}
    for (team, project, model), spend in reads.spend_by(("team", "project", "model_type"), period, teams).items():
        if spend.cost_nusd > 0:
            for depth in (1, 2, 3):
                key = (team, project, model or "other")[:depth]
                sums[key] = sums.get(key, 0) + spend.cost_nusd
    jobs = list(_tree_jobs(period, teams, sums))
    nodes = [(_id(key), _label(key, value), _id(key[:-1]), value, key[0]) for key, value in sums.items()]
    return nodes + jobs


def _tree_jobs(period: Period, teams: Sequence[str], sums: Mapping[tuple[str, ...], int]) -> Iterator[tuple[str, str, str, int, str]]:
    """The dearest jobs as leaves, and what else a model type cost as one more, so that parents stay the sum of their parts."""
    dearest = reads.dearest_jobs(period, teams, IN_TREE)
    names = {job_id: row.name for job_id, row in reads.job_rows([job.job_id for job in dearest]).items()}
    rest = dict(sums)
    for job in dearest:
        key = (job.team, job.project, job.model_type or "other")
        if key in rest:
            rest[key] -= job.cost_nusd
            name = shown(names[job.job_id], 80)
            yield (
                f"{_id(key)}/{job.job_id}",
                f"{html(name)}<br>{usd(job.cost_nusd)}",
                _id(key),
                job.cost_nusd,
                job.team,
            )
    touched = {(job.team, job.project, job.model_type or "other") for job in dearest}
    for key in touched:
        if rest.get(key, 0) > 0:
            yield f"{_id(key)}/others", f"other jobs<br>{usd(rest[key])}", _id(key), rest[key], key[0]


def _id(key: tuple[str, ...]) -> str:
    """A node's id, which the hover shows: no part of it can be taken for two, nor for HTML."""
    return "/".join(html(shown(part, 60)).replace("/", "∕") for part in key)


def _label(key: tuple[str, ...], value: int) -> str:
    name = html(shown(key[-1], 60))
    return f"<b>{name}</b>  {usd(value)}" if len(key) == 1 else f"{name}<br>{usd(value)}"
