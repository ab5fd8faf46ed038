"""S3's own codes in words: missing buckets, other regions, keys that cannot be used, and permissions by IAM's names."""

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from aws.errors import AccessDenied, AwsError, NotFound, Refused, translated

WHERE = "ml-prod · us-east-1"


def said(operation: str, code: str, message: str = "", status: int = 400, **request: str) -> AwsError:
    options = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}
    client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **options)  # type: ignore[call-overload] # texts
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, message, status)
        with pytest.raises(AwsError) as caught, translated(WHERE):
            getattr(client, operation)(Bucket="acme", **request)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("list_objects_v2", "NoSuchBucket"),
        ("head_bucket", "404"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ],
)
def test_what_is_not_there_is_not_found(operation: str, code: str) -> None:
    assert type(said(operation, code, status=404)) is NotFound


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("head_bucket", "s3:ListBucket"),
        ("list_objects_v2", "s3:ListBucket"),
        ("list_multipart_uploads", "s3:ListBucketMultipartUploads"),
        ("get_object_lock_configuration", "s3:GetBucketObjectLockConfiguration"),
        ("get_bucket_encryption", "s3:GetEncryptionConfiguration"),
        ("get_bucket_versioning", "s3:GetBucketVersioning"),
    ],
)
def test_a_denial_without_words_names_the_permission_as_iam_does(operation: str, permission: str) -> None:
    error = said(operation, "403" if operation == "head_bucket" else "AccessDenied", "Access Denied", 403)
    assert isinstance(error, AccessDenied)
    assert error.permission == permission


@pytest.mark.parametrize("code", ["PermanentRedirect", "IllegalLocationConstraintException", "AuthorizationHeaderMalformed"])
def test_a_bucket_of_another_region_that_cannot_be_reached_says_so(code: str) -> None:
    error = said("list_objects_v2", code, "go elsewhere", 301)
    assert type(error) is Refused
    assert "the bucket is in another region" in str(error)


def test_a_key_that_cannot_be_used_says_what_to_do() -> None:
    error = said("get_object", "KMS.DisabledException", "arn:aws:kms:us-east-1:1:key/x is disabled.", 400, Key="x")
    assert type(error) is Refused
    assert "the KMS key cannot be used" in str(error)
    assert "enable the key" in str(error)
