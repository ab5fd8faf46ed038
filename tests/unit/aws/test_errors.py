"""Every way in which AWS fails becomes one line that says what failed, where, and what to do."""

import boto3
import pytest
from botocore import exceptions as known
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from aws.errors import (
    AccessDenied,
    AwsError,
    CredentialsUnusable,
    CutOff,
    Misconfigured,
    NotFound,
    Refused,
    ServerFault,
    Throttled,
    Unreachable,
    translated,
)

WHERE = "ml-prod · us-east-1"
ARN = "arn:aws:sts::123456789012:assumed-role/trainwatch-reader/trainwatch"
DENIED = f"User: {ARN} is not authorized to perform: sagemaker:Search on resource: * because no identity-based policy allows it"


def _said(code: str, message: str = "", status: int = 400) -> AwsError:
    client = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as stub:
        stub.add_client_error("search", code, message, status)
        with pytest.raises(AwsError) as caught, translated(WHERE):
            client.search(Resource="TrainingJob")
    return caught.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 400, AccessDenied),
        ("AccessDenied", 403, AccessDenied),
        ("ExpiredTokenException", 400, CredentialsUnusable),
        ("ExpiredToken", 403, CredentialsUnusable),
        ("UnrecognizedClientException", 400, CredentialsUnusable),
        ("InvalidClientTokenId", 403, CredentialsUnusable),
        ("SignatureDoesNotMatch", 403, CredentialsUnusable),
        ("ThrottlingException", 400, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("SomethingNew", 429, Throttled),
        ("ResourceNotFound", 400, NotFound),
        ("InternalFailure", 500, ServerFault),
        ("ServiceUnavailable", 503, ServerFault),
        ("ValidationException", 400, Refused),
        ("SomethingNew", 418, Refused),
    ],
)
def test_an_error_code_has_its_kind_and_one_line(code: str, status: int, kind: type[AwsError]) -> None:
    error = _said(code, "two\nlines", status)
    assert type(error) is kind
    assert str(error).startswith(WHERE)
    assert "\n" not in str(error)


def test_a_denial_names_the_permission_and_whom_to_give_it() -> None:
    error = _said("AccessDeniedException", DENIED)
    assert isinstance(error, AccessDenied)
    assert error.permission == "sagemaker:Search"
    assert f"add sagemaker:Search to {ARN}" in str(error)


def test_a_denial_that_names_no_permission_is_of_the_operation() -> None:
    error = _said("AccessDeniedException", "no")
    assert isinstance(error, AccessDenied)
    assert error.permission == "sagemaker:Search"


def test_an_explicit_denial_asks_to_take_it_away() -> None:
    error = _said("AccessDeniedException", f"{DENIED.split(' because')[0]} with an explicit deny in a service control policy")
    assert "service control policy denies it explicitly" in str(error)


def test_a_job_that_is_not_found_is_told_by_a_validation_exception() -> None:
    assert isinstance(_said("ValidationException", "Requested resource not found."), NotFound)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (known.NoCredentialsError(), CredentialsUnusable, "set AWS_PROFILE"),
        (known.SSOTokenLoadError(error_msg="gone"), CredentialsUnusable, "aws sso login"),
        (known.TokenRetrievalError(provider="sso", error_msg="gone"), CredentialsUnusable, "aws sso login"),
        (known.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), CredentialsUnusable, "AWS_SECRET_ACCESS_KEY"),
        (known.NoRegionError(), Misconfigured, "AWS_REGION"),
        (known.ProfileNotFound(profile="nobody"), Misconfigured, "nobody"),
        (known.EndpointConnectionError(endpoint_url="https://x"), Unreachable, "check the network"),
        (known.ConnectTimeoutError(endpoint_url="https://x"), Unreachable, "check the network"),
        (known.ReadTimeoutError(endpoint_url="https://x"), CutOff, "did not answer in time"),
        (known.ConnectionClosedError(endpoint_url="https://x"), CutOff, "broke"),
        (ResponseParserError("<html>"), CutOff, "could not be read"),
    ],
)  # fmt: skip
def test_what_fails_on_the_way_has_its_kind_and_advice(error: Exception, kind: type[AwsError], words: str) -> None:
    with pytest.raises(kind, match=words), translated(WHERE):
        raise error


def test_other_errors_pass_untouched() -> None:
    with pytest.raises(ZeroDivisionError), translated(WHERE):
        raise ZeroDivisionError
