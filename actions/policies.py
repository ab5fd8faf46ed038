"""The IAM policies that settings need: what the reading role may read, and what the acting role may do, and where."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from actions import looking, objects
from collectors import jobs, listing, logs, metrics, models, prices, searching, tuning
from collectors.permissions import PROBES
from domain.arns import partition
from settings import Settings

MOST_BUCKETS = 25  # a managed policy holds 6,144 characters; beyond that buckets are named by pattern
_FIELD = re.compile(r"\{(\w+)\}")
_READS: Sequence[tuple[str, frozenset[str]]] = (
    (
        "TrainwatchReadsTrainingJobs",
        frozenset(
            {*searching.REQUIRED_PERMISSIONS, *jobs.REQUIRED_PERMISSIONS, *listing.REQUIRED_PERMISSIONS, *tuning.REQUIRED_PERMISSIONS}
        ),
    ),
    ("TrainwatchReadsSignalsOfLiveJobs", frozenset({*metrics.REQUIRED_PERMISSIONS, *logs.REQUIRED_PERMISSIONS})),
    ("TrainwatchReadsWhatModelsReferTo", frozenset(models.REQUIRED_PERMISSIONS)),
    ("TrainwatchReadsListPrices", frozenset(prices.REQUIRED_PERMISSIONS)),
)
_ON_BUCKETS = frozenset({"s3:ListBucketVersions"})


def reader_policy(settings: Settings, region: str | None) -> dict[str, Any]:
    """The policy of the reading role. Buckets are those that jobs name, whatever they are called, and no object is ever read.

    `region` is that of the credentials at hand, for settings that name none.
    """
    buckets = frozenset(name for name in PROBES if name.startswith("s3:"))
    statements = [_statement(sid, names & PROBES.keys(), ["*"]) for sid, names in _READS]
    everywhere = [f"arn:{name}:s3:::*" for name in _partitions(settings, region)]
    return _document([*statements, _statement("TrainwatchListsBucketsAndReadsNoObject", buckets, everywhere)])


def operator_policy(settings: Settings, region: str | None) -> dict[str, Any]:
    """The policy of the acting role: stops anywhere, deletes in the buckets and under the prefixes of the conventions alone."""
    partitions = _partitions(settings, region)
    conventions = settings.conventions
    places = [f"arn:{name}:s3:::{bucket}" for name in partitions for bucket in _buckets(settings)]
    prefixes = [_literal(conventions.intermediate_prefix), _literal(conventions.checkpoint_prefix)]
    stops = frozenset(name for name in looking.REQUIRED_PERMISSIONS if ":Stop" in name)
    on_objects = frozenset(objects.REQUIRED_PERMISSIONS) - _ON_BUCKETS
    statements = [
        _statement("TrainwatchLooksBeforeItActs", frozenset(looking.REQUIRED_PERMISSIONS) - stops, ["*"]),
        _statement("TrainwatchStopsTrainingJobs", stops, [arn for name in partitions for arn in _jobs(name)]),
        _statement("TrainwatchSeesWhatItDeleted", _ON_BUCKETS, places),
        _statement("TrainwatchCleansByPlan", on_objects, [f"{place}/{prefix}*" for place in places for prefix in prefixes]),
    ]
    if conventions.artifact_prefix:
        artifacts = [f"{place}/{_literal(conventions.artifact_prefix)}*" for place in places]
        changing = frozenset(name for name in on_objects if not name.startswith("s3:Get"))
        statements.append(_statement("TrainwatchNeverTouchesArtifacts", changing, artifacts, effect="Deny"))
    return _document(statements)


def _partitions(settings: Settings, region: str | None) -> list[str]:
    """The partitions of every watched region; the commercial one where no region is known."""
    regions = [*settings.aws.regions, *(name for account in settings.aws.accounts for name in account.regions)]
    return sorted({partition(name) for name in regions or [region or ""]})


def _jobs(partition_name: str) -> list[str]:
    return [f"arn:{partition_name}:sagemaker:*:*:{kind}/*" for kind in ("training-job", "hyper-parameter-tuning-job")]


def _buckets(settings: Settings) -> list[str]:
    """The buckets of the convention: by name for the teams of the settings, by pattern where there are none or too many."""
    conventions = settings.conventions
    pairs = [(team.id, project) for team in settings.teams for project in team.projects or ["*"]]
    names = {_filled(conventions.bucket, conventions.company, team, project) for team, project in pairs}
    if not names or len(names) > MOST_BUCKETS:
        names = {_filled(conventions.bucket, conventions.company, "*", "*")}
    return sorted(names)


def _filled(template: str, company: str, team: str, project: str) -> str:
    """A bucket's name, or a pattern of such names: whatever is not known may be anything."""
    values = {"company": company or "*", "team": team, "project": project}
    return _FIELD.sub(lambda field: values.get(field[1].lower(), "*"), template).lower()


def _literal(prefix: str) -> str:
    """What stands before the first field of a prefix."""
    return _FIELD.split(prefix, maxsplit=1)[0]


def _statement(sid: str, actions: Iterable[str], resources: list[str], *, effect: str = "Allow") -> dict[str, Any]:
    resource = resources[0] if len(resources) == 1 else resources
    return {"Sid": sid, "Effect": effect, "Action": sorted(actions), "Resource": resource}


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
