"""CloudWatch Logs of the simulated account."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.plan import Cluster, Interruption, Phases
from demo.staged import saved
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
LONG = Phases(training_seconds=500_000)
GROUP = "/aws/sagemaker/TrainingJobs"


def streams(account: Account, **asked: object) -> list[dict[str, Any]]:
    said = {"logGroupName": GROUP, **asked}
    return [one for page in account.client("logs").get_paginator("describe_log_streams").paginate(**said) for one in page["logStreams"]]


def moved(stream: dict[str, Any]) -> timedelta:
    """How long ago the stream's last event was."""
    return NOW - datetime.fromtimestamp(stream["lastEventTimestamp"] / 1000, NOW.tzinfo)


def test_each_host_of_a_job_in_training_has_a_stream_that_moves_every_minute(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", cluster=Cluster.of("ml.g5.2xlarge", 2), phases=LONG), job("rc-fraud-ab", phases=LONG)])
    first, second = streams(account, logStreamNamePrefix="rc-fraud-a/")
    began = NOW - timedelta(hours=5) + timedelta(seconds=180)
    assert [first["logStreamName"], second["logStreamName"]] == [f"rc-fraud-a/algo-{n}-{int(began.timestamp())}" for n in (1, 2)]
    assert first["firstEventTimestamp"] == first["creationTime"] == began.timestamp() * 1000
    assert first["storedBytes"] == 0
    assert first["arn"].endswith(f"log-group:{GROUP}:log-stream:{first['logStreamName']}")
    assert timedelta(0) <= moved(first) < timedelta(minutes=1)
    account.clock.advance(timedelta(minutes=1))
    (again, _) = streams(account, logStreamNamePrefix="rc-fraud-a/")
    assert again["lastEventTimestamp"] - first["lastEventTimestamp"] == 60_000
    assert again["lastEventTimestamp"] <= again["lastIngestionTime"] <= account.clock.now().timestamp() * 1000


def test_a_hung_job_logs_no_more(open_account: Open) -> None:
    (stream,) = streams(open_account([job("rc-fraud-a", phases=LONG, behaviour="hung")]))
    assert timedelta(hours=3, minutes=57) < moved(stream) < timedelta(hours=4)


def test_an_ended_job_logged_until_its_training_was_over(open_account: Open) -> None:
    (stream,) = streams(open_account([job("rc-fraud-a")]))
    assert stream["lastEventTimestamp"] - stream["firstEventTimestamp"] == 3600_000


def test_each_stretch_of_training_has_a_stream_of_its_own(open_account: Open) -> None:
    taken = (Interruption(3600, 1800),)
    first, second = streams(open_account([job("rc-fraud-a", phases=LONG, spot=True, interruptions=taken)]))
    assert moved(first) > timedelta(hours=3)
    assert moved(second) < timedelta(minutes=1)


def test_the_group_is_there_once_a_job_has_logged(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 0.02), job("rc-fraud-silent", behaviour="silent")])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        streams(account)
    account.clock.advance(timedelta(minutes=5))
    assert len(streams(account)) == 1
    assert streams(account, logStreamNamePrefix="rc-fraud-silent/") == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        streams(account, logGroupName="/aws/sagemaker/Endpoints")


def test_streams_are_paged_and_ordered_by_name_or_by_their_last_event(open_account: Open) -> None:
    account = open_account([job(f"rc-fraud-{hours:03}", hours) for hours in range(2, 123)])
    logs = account.client("logs")
    pages = list(logs.get_paginator("describe_log_streams").paginate(logGroupName=GROUP))
    assert [len(page["logStreams"]) for page in pages] == [50, 50, 21]
    names = [one["logStreamName"] for page in pages for one in page["logStreams"]]
    assert names == sorted(names)
    assert [one["logStreamName"] for one in streams(account, descending=True)] == names[::-1]
    newest = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=2)
    assert [one["logStreamName"][:12] for one in newest["logStreams"]] == ["rc-fraud-002", "rc-fraud-003"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": 51}, "less than or equal to 50"),
        ({"orderBy": "LastEventTime", "logStreamNamePrefix": "rc"}, "Cannot order by LastEventTime"),
        ({"nextToken": "bm9uc2Vuc2U="}, "nextToken is invalid"),
    ],
)
def test_what_logs_does_not_understand_it_refuses(open_account: Open, asked: dict[str, Any], words: str) -> None:
    account = open_account([job("rc-fraud-a")])
    with pytest.raises(ClientError, match=f"InvalidParameterException.*{words}"):
        account.client("logs").describe_log_streams(logGroupName=GROUP, **asked)


def test_a_hung_job_writes_no_more_checkpoints_either(open_account: Open) -> None:
    plan = job("rc-fraud-a", phases=LONG, behaviour="hung", tags={"Team": "rc", "Project": "fraud"})
    account = open_account([job("rc-fraud-a", phases=LONG, behaviour="hung", checkpoints=saved(plan))])
    listed = account.client("s3").list_objects_v2(Bucket="acme-sm-rc-fraud", Prefix="checkpoints/")["Contents"]
    assert max(one["LastModified"] for one in listed) == NOW - timedelta(hours=5) + timedelta(seconds=180 + 2 * 1200)
