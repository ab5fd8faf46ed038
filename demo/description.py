"""The members of a job's description that never change while it lives, and the odd ones a test lays over them."""

from collections.abc import Mapping

from demo.plan import ABSENT, Group, JobPlan

VPC = {"SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"], "Subnets": ["subnet-0123456789abcdef0"]}

SEARCH_LACKS = frozenset(
    {
        "BillableTokenCount",
        "InfraCheckConfig",
        "MlflowConfig",
        "MlflowDetails",
        "ProfilerRuleConfigurations",
        "ProfilerRuleEvaluationStatuses",
        "ProfilingStatus",
        "ProgressInfo",
        "RemoteDebugConfig",
        "ServerlessJobConfig",
    }
)
"""Members of DescribeTrainingJobResponse that the shape TrainingJob, which Search answers with, does not have."""


def unchanging(plan: JobPlan) -> dict[str, object]:
    """Those members of the description that follow from the plan alone."""
    said: dict[str, object] = {
        "TrainingJobName": plan.name,
        "TrainingJobArn": plan.arn,
        "RoleArn": plan.role_arn,
        "HyperParameters": dict(plan.hyperparameters),
        "AlgorithmSpecification": _algorithm(plan),
        "InputDataConfig": [_channel(name, uri) for name, uri in plan.paths.inputs],
        "OutputDataConfig": {"KmsKeyId": "", "S3OutputPath": plan.paths.output},
        "StoppingCondition": _stopping_condition(plan),
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": plan.spot,
        "ProfilingStatus": "Disabled",
    }
    resources = _resources(plan)
    if resources is not None:
        said["ResourceConfig"] = resources
    said |= _options(plan)
    return said


def overridden(said: dict[str, object], overrides: Mapping[str, object]) -> dict[str, object]:
    """The description with each override laid over it; a dotted key reaches inside a member."""
    for path, value in overrides.items():
        *above, last = path.split(".")
        inside = said
        for name in above:
            below = inside.get(name)
            inside[name] = inside = dict(below) if isinstance(below, Mapping) else {}
        if value is ABSENT:
            inside.pop(last, None)
        else:
            inside[last] = value
    return said


def _options(plan: JobPlan) -> dict[str, object]:
    said: dict[str, object] = {}
    if plan.vpc:
        said["VpcConfig"] = VPC
    if plan.environment:
        said["Environment"] = dict(plan.environment)
    if plan.checkpoints is not None:
        said["CheckpointConfig"] = {"S3Uri": plan.checkpoints.uri, "LocalPath": "/opt/ml/checkpoints"}
    if plan.paths.debugger is not None:
        said["DebugHookConfig"] = {"S3OutputPath": plan.paths.debugger, "LocalPath": "/opt/ml/output/tensors"}
    if plan.paths.tensorboard is not None:
        said["TensorBoardOutputConfig"] = {"S3OutputPath": plan.paths.tensorboard, "LocalPath": "/opt/ml/output/tensorboard"}
    if plan.tuning_job_arn is not None:
        said["TuningJobArn"] = plan.tuning_job_arn
    if plan.serverless_tokens is not None:
        said["ServerlessJobConfig"] = {"JobType": "FineTuning", "CustomizationTechnique": "SFT", "AcceptEula": True}
    return said


def _algorithm(plan: JobPlan) -> dict[str, object]:
    said: dict[str, object] = {
        "TrainingImage": plan.algorithm.image,
        "TrainingInputMode": plan.algorithm.input_mode,
        "EnableSageMakerMetricsTimeSeries": bool(plan.algorithm.metrics),
    }
    if plan.algorithm.metrics:
        said["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in plan.algorithm.metrics]
    return said


def _channel(name: str, uri: str) -> dict[str, object]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "CompressionType": "None",
        "RecordWrapperType": "None",
    }


def _stopping_condition(plan: JobPlan) -> dict[str, object]:
    said: dict[str, object] = {"MaxRuntimeInSeconds": plan.limits.max_runtime_seconds}
    if plan.limits.max_wait_seconds is not None:
        said["MaxWaitTimeInSeconds"] = plan.limits.max_wait_seconds
    if plan.limits.max_pending_seconds is not None:
        said["MaxPendingTimeInSeconds"] = plan.limits.max_pending_seconds
    return said


def _resources(plan: JobPlan) -> dict[str, object] | None:
    if plan.cluster.expressed == "none":
        return None
    said: dict[str, object] = {"VolumeSizeInGB": plan.volume_gb, **_instances(plan)}
    if plan.warm_pool is not None:
        said["KeepAlivePeriodInSeconds"] = plan.warm_pool.keep_alive_seconds
    if plan.training_plan_arn is not None:
        said["TrainingPlanArn"] = plan.training_plan_arn
    return said


def _instances(plan: JobPlan) -> dict[str, object]:
    first = plan.cluster.groups[0]
    if plan.cluster.expressed == "groups":
        return {"InstanceGroups": [_group(one, number) for number, one in enumerate(plan.cluster.groups, 1)]}
    if plan.cluster.expressed == "preferences":
        offered = [{"InstanceType": one, "InstanceCount": first.count} for one in plan.cluster.preferences]
        selected = {"SelectedInstanceType": first.instance_type, "SelectedInstanceCount": first.count}
        return {"InstancePreferences": offered, **selected}
    return {"InstanceType": first.instance_type, "InstanceCount": first.count}


def _group(group: Group, number: int) -> dict[str, object]:
    name = group.name or f"group-{number}"
    return {"InstanceType": group.instance_type, "InstanceCount": group.count, "InstanceGroupName": name}
