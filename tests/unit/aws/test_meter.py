"""What our own calls cost, at AWS's list prices."""

import pytest

from aws.meter import price_nusd


@pytest.mark.parametrize(
    ("service", "operation", "metrics", "nusd"),
    [
        ("s3", "ListObjectsV2", 0, 5_000),
        ("s3", "ListMultipartUploads", 0, 5_000),
        ("s3", "PutObjectTagging", 0, 5_000),
        ("s3", "GetObjectTagging", 0, 400),
        ("s3", "HeadObject", 0, 400),
        ("s3", "GetBucketVersioning", 0, 400),
        ("s3", "DeleteObjects", 0, 0),
        ("s3", "AbortMultipartUpload", 0, 0),
        ("cloudwatch", "GetMetricData", 500, 5_000_000),
        ("ce", "GetCostAndUsage", 0, 10_000_000),
        ("sagemaker", "ListTrainingJobs", 0, 0),
    ],
)
def test_each_call_has_its_list_price(service: str, operation: str, metrics: int, nusd: int) -> None:
    assert price_nusd(service, operation, metrics) == nusd
