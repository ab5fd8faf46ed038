"""A CreateTrainingJob request as a plan: what somebody starts here lives a short, ordinary life."""

import re
from collections.abc import Mapping

from demo.call import Call, as_object, as_whole
from demo.errors import invalid
from demo.plan import Checkpoints, Cluster, Group, JobPlan, Limits, Paths, Phases, WarmPool

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
LIFE = Phases(starting_seconds=60, downloading_seconds=30, training_seconds=600, uploading_seconds=15)
RENDERED = frozenset({"TrainingJobName", "RoleArn", "Tags", "HyperParameters", "Environment", "StoppingCondition"})
SPOT_SHARE = 0.35

Json = Mapping[str, object]


def plan_from(call: Call) -> JobPlan:
    """The plan of the requested job; a ValidationException where SageMaker would refuse it."""
    body = call.body
    name = call.text("TrainingJobName")
    if not NAME.fullmatch(name):
        raise invalid(f"Value '{name}' at 'trainingJobName' failed to satisfy the constraint {NAME.pattern}")
    spot = bool(body.get("EnableManagedSpotTraining"))
    resources = as_object(body.get("ResourceConfig"))
    return JobPlan(
        name=name,
        account=call.account,
        region=call.region,
        created_at=call.now,
        cluster=_cluster(resources),
        volume_gb=as_whole(resources.get("VolumeSizeInGB"), 30),
        spot=spot,
        billable_share=SPOT_SHARE if spot else 1.0,
        phases=LIFE,
        limits=_limits(as_object(body.get("StoppingCondition")), spot),
        role_arn=call.text("RoleArn"),
        paths=Paths(str(as_object(body.get("OutputDataConfig")).get("S3OutputPath", ""))),
        tags=tags_of(body),
        hyperparameters=_texts(body.get("HyperParameters")),
        environment=_texts(body.get("Environment")),
        checkpoints=_checkpoints(as_object(body.get("CheckpointConfig"))),
        warm_pool=_warm_pool(resources.get("KeepAlivePeriodInSeconds")),
        vpc="VpcConfig" in body,
        overrides={member: value for member, value in body.items() if member not in RENDERED},
    )


def tags_of(body: Json) -> dict[str, str]:
    """The Tags of a request."""
    tags = body.get("Tags")
    return {str(one["Key"]): str(one["Value"]) for one in tags} if isinstance(tags, list) else {}


def _cluster(resources: Json) -> Cluster:
    groups = resources.get("InstanceGroups")
    if isinstance(groups, list) and groups:
        return Cluster(tuple(_group(as_object(one)) for one in groups), "groups")
    if resources.get("InstanceType"):
        return Cluster((_group(resources),))
    return Cluster((), "none")


def _group(said: Json) -> Group:
    name = str(said.get("InstanceGroupName", ""))
    return Group(str(said.get("InstanceType")), as_whole(said.get("InstanceCount"), 1), name)


def _limits(said: Json, spot: bool) -> Limits:
    runtime = as_whole(said.get("MaxRuntimeInSeconds"), 86_400)
    wait = said.get("MaxWaitTimeInSeconds")
    if not spot:
        return Limits(runtime)
    if wait is None or as_whole(wait, 0) < runtime:
        raise invalid("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds")
    return Limits(runtime, as_whole(wait, 0))


def _checkpoints(said: Json) -> Checkpoints | None:
    return Checkpoints(str(said["S3Uri"])) if "S3Uri" in said else None


def _warm_pool(keep_alive: object) -> WarmPool | None:
    seconds = as_whole(keep_alive, 0)
    return WarmPool(seconds, seconds) if seconds else None


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(one) for key, one in as_object(value).items()}
