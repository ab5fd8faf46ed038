"""What can go wrong goes wrong as it does with AWS."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.integration.demo.account import Account, job

Open = Callable[..., Account]


def refused(account: Account, service: str = "sagemaker", operation: str = "list_training_jobs") -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        getattr(account.client(service), operation)()
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_denied_operation_names_the_user_and_the_missing_action(open_account: Open) -> None:
    account = open_account()
    account.server.faults.deny("ListTrainingJobs")
    code, message = refused(account)
    assert code == "AccessDeniedException"
    assert message.startswith("User: arn:aws:iam::123456789012:user/demo is not authorized to perform: sagemaker:ListTrainingJobs")
    assert message.endswith("because no identity-based policy allows the sagemaker:ListTrainingJobs action")


def test_only_the_denied_operation_is_denied(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a")])
    account.server.faults.deny("Search")
    assert account.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]


def test_s3_denies_in_its_own_words(open_account: Open) -> None:
    account = open_account()
    account.server.faults.deny("ListBuckets")
    assert refused(account, "s3", "list_buckets")[0] == "AccessDenied"


def test_a_throttled_call_succeeds_when_tried_again(open_account: Open) -> None:
    account = open_account()
    account.server.faults.throttle("ListTrainingJobs", times=1)
    assert refused(account) == ("ThrottlingException", "Rate exceeded")
    account.server.faults.throttle("ListTrainingJobs", times=1)
    assert account.client("sagemaker", attempts=2).list_training_jobs()["TrainingJobSummaries"] == []


def test_a_failing_service_fails_as_often_as_ordered(open_account: Open) -> None:
    account = open_account()
    account.server.faults.fail("ListTrainingJobs", status=503, times=2)
    assert [refused(account)[0] for _ in range(2)] == ["ServiceUnavailable"] * 2
    assert account.client("sagemaker").list_training_jobs()


def test_a_reset_connection_is_tried_again(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a")])
    account.server.faults.cut("ListTrainingJobs", times=1, reset=True)
    assert len(account.client("sagemaker", attempts=2).list_training_jobs()["TrainingJobSummaries"]) == 1
    assert account.server.calls["ListTrainingJobs"] == 2


def test_half_an_answer_looks_empty_to_botocore(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a")])
    account.server.faults.cut("ListTrainingJobs", times=1)
    assert "TrainingJobSummaries" not in account.client("sagemaker").list_training_jobs()


def test_expired_credentials_are_refused_everywhere_until_cleared(open_account: Open) -> None:
    account = open_account()
    account.server.faults.expire_credentials()
    assert refused(account)[0] == "ExpiredTokenException"
    assert refused(account, "sts", "get_caller_identity")[0] == "ExpiredToken"
    account.server.faults.clear()
    assert account.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_an_operation_that_is_not_simulated_says_so(open_account: Open) -> None:
    assert refused(open_account(), "pricing", "describe_services")[0] == "UnknownOperationException"


def test_calls_are_counted_by_operation(open_account: Open) -> None:
    account = open_account()
    account.client("sagemaker").list_training_jobs()
    account.client("s3").list_buckets()
    assert dict(account.server.calls) == {"ListTrainingJobs": 1, "ListBuckets": 1}
    account.server.calls.clear()
    assert not account.server.calls
