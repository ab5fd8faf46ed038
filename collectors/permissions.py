"""Whether each permission that collectors need is there: the smallest call of each, which changes nothing and costs next to nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from aws.errors import NotFound, Refused, translated
from aws.session import Clients
from collectors import checkpoints, jobs, leftovers, listing, logs, metrics, models, prices, tuning
from domain.arns import training_job_arn

NO_SUCH_JOB = "trainwatch-looks-whether-it-may-ask"
NO_SUCH_TUNER = NOTHING = "trainwatch-looks"  # names of tuning jobs are shorter

Probe = Callable[[Clients], object]


def _ask_for_a_metric(clients: Clients) -> object:
    """One metric of a job that is not there, for a thousandth of a cent."""
    metric = {"Namespace": metrics.NAMESPACE, "MetricName": "GPUUtilization", "Dimensions": [{"Name": "Host", "Value": NO_SUCH_JOB}]}
    query: Any = {"Id": "q0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}
    end = datetime.now(UTC)
    return clients.cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=end - timedelta(minutes=5), EndTime=end)


def _bucket(clients: Clients) -> Any:
    """The bucket that SageMaker itself makes for an account in a region, and only if it is that account's.

    Where there is none, S3 says so to whoever asks, and a denial only shows once a bucket is looked at.
    """
    scope = clients.target.scope
    return {"Bucket": f"sagemaker-{scope.region}-{scope.account}", "ExpectedBucketOwner": scope.account}


PROBES: Mapping[str, Probe] = {
    "sagemaker:Search": lambda clients: clients.sagemaker.search(Resource="TrainingJob", MaxResults=1),
    "sagemaker:ListTrainingJobs": lambda clients: clients.sagemaker.list_training_jobs(MaxResults=1),
    "sagemaker:DescribeTrainingJob": lambda clients: clients.sagemaker.describe_training_job(TrainingJobName=NO_SUCH_JOB),
    "sagemaker:ListTags": lambda clients: clients.sagemaker.list_tags(ResourceArn=training_job_arn(clients.target.scope, NO_SUCH_JOB)),
    "cloudwatch:GetMetricData": _ask_for_a_metric,
    "logs:DescribeLogStreams": lambda clients: clients.logs.describe_log_streams(logGroupName=logs.GROUP, limit=1),
    "sagemaker:ListHyperParameterTuningJobs": lambda clients: clients.sagemaker.list_hyper_parameter_tuning_jobs(MaxResults=1),
    "sagemaker:DescribeHyperParameterTuningJob": lambda clients: clients.sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=NO_SUCH_TUNER
    ),
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob": lambda clients: (
        clients.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=NO_SUCH_TUNER)
    ),
    "sagemaker:ListModels": lambda clients: clients.sagemaker.list_models(MaxResults=1),
    "sagemaker:DescribeModel": lambda clients: clients.sagemaker.describe_model(ModelName=NOTHING),
    "sagemaker:ListEndpoints": lambda clients: clients.sagemaker.list_endpoints(MaxResults=1),
    "sagemaker:DescribeEndpoint": lambda clients: clients.sagemaker.describe_endpoint(EndpointName=NOTHING),
    "sagemaker:DescribeEndpointConfig": lambda clients: clients.sagemaker.describe_endpoint_config(EndpointConfigName=NOTHING),
    "sagemaker:ListInferenceComponents": lambda clients: clients.sagemaker.list_inference_components(MaxResults=1),
    "sagemaker:DescribeInferenceComponent": lambda clients: clients.sagemaker.describe_inference_component(InferenceComponentName=NOTHING),
    "sagemaker:ListModelPackageGroups": lambda clients: clients.sagemaker.list_model_package_groups(MaxResults=1),
    "sagemaker:ListModelPackages": lambda clients: clients.sagemaker.list_model_packages(MaxResults=1),
    "sagemaker:DescribeModelPackage": lambda clients: clients.sagemaker.describe_model_package(ModelPackageName=NOTHING),
    "s3:ListBucket": lambda clients: clients.s3.list_objects_v2(**_bucket(clients), MaxKeys=1),
    "s3:GetBucketVersioning": lambda clients: clients.s3.get_bucket_versioning(**_bucket(clients)),
    "s3:GetBucketObjectLockConfiguration": lambda clients: clients.s3.get_object_lock_configuration(**_bucket(clients)),
    "s3:GetEncryptionConfiguration": lambda clients: clients.s3.get_bucket_encryption(**_bucket(clients)),
    "s3:ListBucketMultipartUploads": lambda clients: clients.s3.list_multipart_uploads(**_bucket(clients), MaxUploads=1),
    "s3:ListMultipartUploadParts": lambda clients: clients.s3.list_parts(**_bucket(clients), Key=NOTHING, UploadId=NOTHING),
    "pricing:GetProducts": lambda clients: clients.pricing.get_products(ServiceCode=prices.SERVICE, MaxResults=1),
}
# What these tell is missed where they are denied; everything else goes on.
HELPFUL = frozenset(
    permission for collector in (metrics, logs, tuning, checkpoints, models, leftovers) for permission in collector.REQUIRED_PERMISSIONS
)
# Without Search the others serve; without the others Search does.
OPTIONAL = frozenset(listing.REQUIRED_PERMISSIONS) - frozenset(jobs.REQUIRED_PERMISSIONS)


def try_permission(clients: Clients, permission: str) -> None:
    """Makes the permission's smallest call. Raises AwsError when it is denied or AWS cannot be asked.

    That there is no such job is an answer, and so proof enough.
    """
    try:
        with translated(clients.where):
            PROBES[permission](clients)
    except (NotFound, Refused):
        return


def seconds_ahead_of_aws(clients: Clients, now: float) -> float:
    """How far our clock (epoch seconds) is ahead of AWS's, by the date of its answer. Source: STS GetCallerIdentity."""
    with translated(clients.where):
        answer = clients.sts.get_caller_identity()
    return now - parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
