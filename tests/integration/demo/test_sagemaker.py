"""Training jobs over the wire, with the real service's habits."""

import json
import math
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.plan import ABSENT, Algorithm, Cluster, Group, Phases, WarmPool, failed
from demo.workload import bulk
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
RUNNING = Phases(training_seconds=100_000)


def names(answer: dict[str, Any]) -> list[str]:
    return [one["TrainingJob"]["TrainingJobName"] for one in answer["Results"]]


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def find(account: Account, *filters: tuple[str, str, str | None], **more: object) -> list[str]:
    said = [{"Name": name, "Operator": operator, "Value": value} for name, operator, value in filters]
    kept = [{key: value for key, value in one.items() if value is not None} for one in said]
    expression = {"SearchExpression": {"Filters": kept}} if kept else {}
    return names(account.client("sagemaker").search(Resource="TrainingJob", MaxResults=100, **expression, **more))


def test_a_description_grows_with_the_clock(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 0.0)])
    sagemaker = account.client("sagemaker")
    seen = []
    for minutes in (0, 3, 10, 120):
        account.clock.set(NOW + timedelta(minutes=minutes))
        said = sagemaker.describe_training_job(TrainingJobName="rc-fraud-a")
        seen.append((said["SecondaryStatus"], said.get("BillableTimeInSeconds")))
    assert seen == [("Starting", None), ("Training", None), ("Training", None), ("Completed", 3690)]


def test_a_job_of_the_future_is_not_there_yet(open_account: Open) -> None:
    account = open_account([job("rc-fraud-later", -1.0)])
    with pytest.raises(ClientError) as error:
        account.client("sagemaker").describe_training_job(TrainingJobName="rc-fraud-later")
    assert refusal(error) == ("ValidationException", "Requested resource not found.")
    account.clock.advance(timedelta(hours=2))
    assert account.client("sagemaker").describe_training_job(TrainingJobName="rc-fraud-later")["TrainingJobName"]


def test_a_listing_takes_a_page_before_it_filters(open_account: Open) -> None:
    plans = [job(f"rc-fraud-{hours}", hours) for hours in range(2, 27)] + [job("rc-fraud-live", 40, phases=Phases(training_seconds=1e6))]
    pages = list(open_account(plans).client("sagemaker").get_paginator("list_training_jobs").paginate(StatusEquals="InProgress"))
    assert [len(page["TrainingJobSummaries"]) for page in pages] == [0, 0, 1]
    assert ["NextToken" in page for page in pages] == [True, True, False]


def test_a_listing_is_newest_first_unless_asked_otherwise(open_account: Open) -> None:
    sagemaker = open_account([job(f"rc-fraud-{hours}", hours) for hours in (3, 1, 2)]).client("sagemaker")

    def listed(**asked: object) -> list[str]:
        return [one["TrainingJobName"] for one in sagemaker.list_training_jobs(**asked)["TrainingJobSummaries"]]

    assert listed() == ["rc-fraud-1", "rc-fraud-2", "rc-fraud-3"]
    assert listed(SortBy="Name", SortOrder="Ascending") == ["rc-fraud-1", "rc-fraud-2", "rc-fraud-3"]
    assert listed(SortOrder="Ascending", MaxResults=2) == ["rc-fraud-3", "rc-fraud-2"]
    assert listed(CreationTimeAfter=NOW - timedelta(hours=2.5)) == ["rc-fraud-1", "rc-fraud-2"]
    assert listed(NameContains="FRAUD-2") == ["rc-fraud-2"]
    assert listed(LastModifiedTimeAfter=NOW - timedelta(hours=1)) == ["rc-fraud-1", "rc-fraud-2"]


def test_a_listing_finds_warm_pools(open_account: Open) -> None:
    account = open_account([job("rc-fraud-warm", warm_pool=WarmPool(21_600, 21_600)), job("rc-fraud-cold")])
    said = account.client("sagemaker").list_training_jobs(WarmPoolStatusEquals="Available")
    assert [one["TrainingJobName"] for one in said["TrainingJobSummaries"]] == ["rc-fraud-warm"]


def test_a_page_holds_a_hundred_at_most(open_account: Open) -> None:
    sagemaker = open_account([]).client("sagemaker")
    with pytest.raises(ClientError, match="less than or equal to 100"):
        sagemaker.search(Resource="TrainingJob", MaxResults=101)
    with pytest.raises(ClientError, match="Invalid NextToken"):
        sagemaker.search(Resource="TrainingJob", NextToken="bm9uc2Vuc2U=")


def test_search_answers_whole_jobs_with_their_tags_but_not_every_member(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", cluster=Cluster((), "none"), serverless_tokens=5_000)])
    found = account.client("sagemaker").search(Resource="TrainingJob")
    one = found["Results"][0]["TrainingJob"]
    assert one["TrainingJobArn"].endswith(":training-job/rc-fraud-a")
    assert one["Tags"] == [{"Key": "Team", "Value": "rc"}]
    assert not {"ServerlessJobConfig", "BillableTokenCount", "ProfilingStatus"} & one.keys()
    assert account.client("sagemaker").describe_training_job(TrainingJobName="rc-fraud-a")["BillableTokenCount"] == 5_000
    assert found["TotalHits"] == {"Value": 1, "Relation": "EqualTo"}


def test_search_filters_by_time_text_number_tag_and_dotted_names(open_account: Open) -> None:
    account = open_account(
        [
            job("rc-fraud-old", 50.0),
            job("rc-fraud-spot", 10.0, spot=True, billable_share=0.3, tags={"Team": "vision"}),
            job("rc-fraud-cluster", 8.0, cluster=Cluster((Group("ml.p3.8xlarge", 2),))),
            job("rc-fraud-live", 1.0, phases=RUNNING, hyperparameters={"lr": "0.1"}),
        ]
    )
    assert find(account, ("CreationTime", "LessThan", "2026-11-19T00:00:00")) == ["rc-fraud-old"]
    assert find(account, ("TrainingJobStatus", "Equals", "InProgress")) == ["rc-fraud-live"]
    assert find(account, ("TrainingJobStatus", "NotEquals", "Completed")) == ["rc-fraud-live"]
    assert find(account, ("Tags.Team", "Equals", "vision")) == ["rc-fraud-spot"]
    assert find(account, ("ResourceConfig.InstanceType", "Equals", "ml.p3.8xlarge")) == ["rc-fraud-cluster"]
    assert find(account, ("ResourceConfig.InstanceCount", "GreaterThan", "1")) == ["rc-fraud-cluster"]
    assert find(account, ("EnableManagedSpotTraining", "Equals", "true")) == ["rc-fraud-spot"]
    assert find(account, ("HyperParameters.lr", "Exists", None)) == ["rc-fraud-live"]
    assert find(account, ("BillableTimeInSeconds", "NotExists", None)) == ["rc-fraud-live"]
    assert find(account, ("TrainingJobName", "In", "rc-fraud-old,rc-fraud-live")) == ["rc-fraud-live", "rc-fraud-old"]
    assert find(account, ("TrainingJobName", "Contains", "FRAUD-S"), ("CreationTime", "GreaterThan", "2026-11-20T00:00:00"))


def test_search_joins_with_or_and_nests(open_account: Open) -> None:
    account = open_account([job(f"rc-fraud-{letter}") for letter in "abc"])
    equal = [{"Name": "TrainingJobName", "Operator": "Equals", "Value": f"rc-fraud-{letter}"} for letter in "ab"]
    nested = {"SubExpressions": [{"Filters": equal, "Operator": "Or"}], "Filters": equal[:1]}
    sagemaker = account.client("sagemaker")
    assert len(names(sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": equal, "Operator": "Or"}))) == 2
    assert names(sagemaker.search(Resource="TrainingJob", SearchExpression=nested)) == ["rc-fraud-a"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"Name": "Colour", "Operator": "Equals", "Value": "red"}, "Unknown property name: Colour"),
        ({"Name": "CreationTime", "Operator": "GreaterThan", "Value": "2026-11-20"}, "Invalid timestamp"),
        ({"Name": "TrainingJobName", "Operator": "LessThan", "Value": "m"}, "not supported for the text property"),
        ({"Name": "CreationTime", "Operator": "Contains", "Value": "2026-11-20T00:00:00"}, "not supported"),
    ],
)
def test_search_refuses_what_it_does_not_understand(open_account: Open, asked: dict[str, str], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        open_account([]).client("sagemaker").search(Resource="TrainingJob", SearchExpression={"Filters": [asked]})


def test_search_takes_twenty_filters_at_most(open_account: Open) -> None:
    one = {"Name": "TrainingJobName", "Operator": "Contains", "Value": "a"}
    with pytest.raises(ClientError, match="At most 20"):
        open_account([]).client("sagemaker").search(Resource="TrainingJob", SearchExpression={"Filters": [one] * 21})


def test_search_orders_by_last_change_newest_first_unless_asked_otherwise(open_account: Open) -> None:
    account = open_account([job("rc-fraud-long", 9.0, phases=Phases(training_seconds=20_000)), job("rc-fraud-short", 8.0)])
    assert find(account) == ["rc-fraud-long", "rc-fraud-short"]
    assert find(account, SortBy="CreationTime") == ["rc-fraud-short", "rc-fraud-long"]
    assert find(account, SortBy="TrainingTimeInSeconds", SortOrder="Ascending") == ["rc-fraud-short", "rc-fraud-long"]


def test_one_search_stops_at_ten_thousand_hits(open_account: Open) -> None:
    account = open_account(bulk(10_050, NOW, 30))
    sagemaker = account.client("sagemaker")
    first = sagemaker.search(Resource="TrainingJob", MaxResults=100)
    assert first["TotalHits"] == {"Value": 10_000, "Relation": "GreaterThanOrEqualTo"}
    window = {"Filters": [{"Name": "CreationTime", "Operator": "LessThan", "Value": "2026-10-22T00:00:00"}]}
    pages = list(sagemaker.get_paginator("search").paginate(Resource="TrainingJob", SearchExpression=window, MaxResults=100))
    assert sum(len(page["Results"]) for page in pages) == pages[0]["TotalHits"]["Value"]
    assert account.server.calls["Search"] == 1 + len(pages)


def test_the_last_page_of_ten_thousand_hits_has_no_token(open_account: Open) -> None:
    account = open_account(bulk(10_050, NOW, 30))
    found, asked = 0, {"Resource": "TrainingJob", "MaxResults": 100}
    while True:
        page = unparsed_search(account, asked)
        found += len(page["Results"])
        if "NextToken" not in page:
            break
        asked = {**asked, "NextToken": page["NextToken"]}
    assert found == 10_000


def unparsed_search(account: Account, asked: dict[str, Any]) -> Any:
    """Search without botocore, which takes half a second over ten such pages."""
    headers = {
        "X-Amz-Target": "SageMaker.Search",
        "Authorization": "AWS4 Credential=AKIADEMO/20261120/us-east-1/sagemaker/aws4_request",
    }
    request = urllib.request.Request(account.server.url, json.dumps(asked).encode(), headers)  # noqa: S310 (an address on this machine)
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (as above)
        return json.load(answer)


def test_search_can_be_behind(open_account: Open) -> None:
    account = open_account([job("rc-fraud-new", 0.001)])
    account.server.search_lag = timedelta(seconds=30)
    assert find(account) == []
    account.clock.advance(timedelta(minutes=1))
    assert find(account) == ["rc-fraud-new"]


def test_odd_answers_come_through_as_they_are(open_account: Open) -> None:
    reason = "<script>alert(1)</script> =cmd \x00\x07 \u202e"
    overrides = {"TrainingJobStatus": "Hibernated", "BillableTimeInSeconds": ABSENT, "HyperParameters": None, "Quantum": {}}
    account = open_account([job("rc-fraud-odd", overrides=overrides, ending=failed(reason))])
    one = account.client("sagemaker").search(Resource="TrainingJob")["Results"][0]["TrainingJob"]
    assert one["FailureReason"] == reason
    assert one["TrainingJobStatus"] == "Hibernated"
    assert not {"BillableTimeInSeconds", "HyperParameters"} & one.keys()
    assert find(account, ("TrainingJobStatus", "Equals", "Hibernated")) == ["rc-fraud-odd"]


def test_stopping_takes_a_while_and_is_refused_once_it_is_over(open_account: Open) -> None:
    account = open_account([job("rc-fraud-live", 1.0, phases=RUNNING)])
    sagemaker = account.client("sagemaker")
    sagemaker.stop_training_job(TrainingJobName="rc-fraud-live")
    assert sagemaker.describe_training_job(TrainingJobName="rc-fraud-live")["TrainingJobStatus"] == "Stopping"
    assert find(account, ("TrainingJobStatus", "Equals", "Stopping")) == ["rc-fraud-live"]
    account.clock.advance(timedelta(minutes=5))
    said = sagemaker.describe_training_job(TrainingJobName="rc-fraud-live")
    assert (said["TrainingJobStatus"], said["BillableTimeInSeconds"]) == ("Stopped", 3600 - 120 + 90 + 30)
    with pytest.raises(ClientError) as error:
        sagemaker.stop_training_job(TrainingJobName="rc-fraud-live")
    assert refusal(error)[1].endswith("training job is in status Stopped.")


def test_a_stop_can_take_as_long_as_the_plan_says(open_account: Open) -> None:
    account = open_account([job("rc-fraud-live", 1.0, phases=RUNNING, stop_takes_seconds=3000.0)])
    sagemaker = account.client("sagemaker")
    sagemaker.stop_training_job(TrainingJobName="rc-fraud-live")
    seen = []
    for minutes in (49, 2):
        account.clock.advance(timedelta(minutes=minutes))
        seen.append(sagemaker.describe_training_job(TrainingJobName="rc-fraud-live")["TrainingJobStatus"])
    assert seen == ["Stopping", "Stopped"]


def test_a_plan_can_hold_the_stop_itself_and_a_second_one_changes_nothing(open_account: Open) -> None:
    asked_at = NOW - timedelta(minutes=40)
    account = open_account([job("rc-fraud-live", 1.0, phases=RUNNING, stop_requested_at=asked_at, stop_takes_seconds=6000.0)])
    sagemaker = account.client("sagemaker")
    before = sagemaker.describe_training_job(TrainingJobName="rc-fraud-live")
    assert (before["TrainingJobStatus"], before["LastModifiedTime"]) == ("Stopping", asked_at)
    sagemaker.stop_training_job(TrainingJobName="rc-fraud-live")
    after = sagemaker.describe_training_job(TrainingJobName="rc-fraud-live")
    assert after["SecondaryStatusTransitions"] == before["SecondaryStatusTransitions"]


def test_a_final_metric_that_is_no_number_is_spelled_out(open_account: Open) -> None:
    final = (("validation:loss", math.nan), ("train:loss", -math.inf), ("validation:auc", 0.5))
    account = open_account([job("rc-fraud-a", algorithm=Algorithm(final_metrics=final))])
    said = account.client("sagemaker").describe_training_job(TrainingJobName="rc-fraud-a")["FinalMetricDataList"]
    assert [one["Value"] for one in said] == ["NaN", "-Infinity", 0.5]


def test_a_name_is_free_again_after_its_job_is_deleted(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a"), job("rc-fraud-live", 1.0, phases=RUNNING)])
    sagemaker = account.client("sagemaker")
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_training_job(TrainingJobName="rc-fraud-live")
    sagemaker.delete_training_job(TrainingJobName="rc-fraud-a")
    assert find(account) == ["rc-fraud-live"]
    account.server.add(job("rc-fraud-a", 0.0))
    assert sagemaker.describe_training_job(TrainingJobName="rc-fraud-a")["CreationTime"] == NOW


def test_a_created_job_lives_a_short_life(open_account: Open) -> None:
    account = open_account()
    sagemaker = account.client("sagemaker")
    request = {
        "TrainingJobName": "made-here",
        "RoleArn": "arn:aws:iam::123456789012:role/some-role-of-ours",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://acme-sm-rc-fraud/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Environment": {"A": "1"},
        "Tags": [{"Key": "Team", "Value": "rc"}],
    }
    sagemaker.create_training_job(**request)
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_training_job(**request)
    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds"):
        sagemaker.create_training_job(**(request | {"TrainingJobName": "spot", "EnableManagedSpotTraining": True}))
    account.clock.advance(timedelta(hours=1))
    said = sagemaker.describe_training_job(TrainingJobName="made-here")
    assert (said["TrainingJobStatus"], said["BillableTimeInSeconds"], said["Environment"]) == ("Completed", 645, {"A": "1"})
    assert said["ResourceConfig"] == request["ResourceConfig"]


def test_tags_are_laid_over_each_other(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a")])
    sagemaker = account.client("sagemaker")
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/rc-fraud-a"
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "Team", "Value": "vision"}, {"Key": "Stage", "Value": "prod"}])
    assert find(account, ("Tags.Team", "Equals", "vision")) == ["rc-fraud-a"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["Team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "Stage", "Value": "prod"}]
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.list_tags(ResourceArn=arn + "-b")


def test_each_account_and_region_has_its_own_jobs(open_account: Open) -> None:
    account = open_account(
        [
            job("rc-fraud-a"),
            job("rc-fraud-b", account="222222222222"),
            job("rc-fraud-c", region="ap-southeast-1"),
        ]
    )
    credentials = account.assume("222222222222")
    assert account.client("sts", credentials).get_caller_identity()["Account"] == "222222222222"
    assert names(account.client("sagemaker").search(Resource="TrainingJob")) == ["rc-fraud-a"]
    assert names(account.client("sagemaker", credentials).search(Resource="TrainingJob")) == ["rc-fraud-b"]
    assert names(account.client("sagemaker", region="ap-southeast-1").search(Resource="TrainingJob")) == ["rc-fraud-c"]
