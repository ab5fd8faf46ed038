"""What a job's description must hold at every instant of every life."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.lifecycle import describe, ended, settled_at
from demo.plan import (
    ABSENT,
    COMPLETED,
    MAX_RUNTIME,
    NEVER_LAUNCHED,
    STOPPED,
    Cluster,
    Group,
    Interruption,
    JobPlan,
    Paths,
    Phases,
    WarmPool,
    failed,
)
from demo.timeline import life, waits, whole_seconds

AT = datetime(2026, 11, 20, 9, 30, 0, 250_000, tzinfo=UTC)
ENDINGS = (COMPLETED, STOPPED, MAX_RUNTIME, NEVER_LAUNCHED, failed("AlgorithmError"), failed("CapacityError", started=False))


def plan(**changes: object) -> JobPlan:
    ordinary: dict[str, object] = {
        "name": "rc-fraud-gnn-20261120-093000",
        "created_at": AT,
        "cluster": Cluster.of("ml.g5.2xlarge"),
        "role_arn": "arn:aws:iam::123456789012:role/x",
        "paths": Paths("s3://acme-sm-rc-fraud/models/artifacts/"),
    }
    return JobPlan(**(ordinary | changes))  # type: ignore[arg-type] # the fields of a plan, put together by name


seconds = st.floats(0.001, 5000, allow_nan=False).map(lambda value: round(value, 3))


@st.composite
def plans(draw: st.DrawFn) -> JobPlan:
    training = draw(st.floats(10, 100_000).map(lambda value: round(value, 3)))
    spot = draw(st.booleans())
    parts = sorted(draw(st.lists(st.floats(0.01, 0.99), max_size=4))) if spot else []
    return plan(
        created_at=AT + timedelta(milliseconds=draw(st.integers(0, 10_000))),
        spot=spot,
        billable_share=draw(st.floats(0.05, 0.95)) if spot else 1.0,
        phases=Phases(draw(st.just(0.0) | seconds), draw(seconds), draw(seconds), training, draw(seconds), draw(seconds)),
        interruptions=tuple(Interruption(part * training, draw(seconds)) for part in parts),
        ending=draw(st.sampled_from(ENDINGS)),
        warm_pool=draw(st.one_of(st.none(), st.builds(WarmPool, st.just(3600), st.integers(1, 3600)))),
    )


stops = st.one_of(st.none(), st.floats(0, 150_000).map(lambda value: AT + timedelta(seconds=value)))
moments = st.floats(11, 250_000).map(lambda value: AT + timedelta(seconds=value))


@given(plans(), stops)
def test_transitions_are_contiguous_and_begin_with_the_creation(one: JobPlan, stop: datetime | None) -> None:
    steps = life(one, stop).steps
    assert steps[0].start == one.created_at
    assert all(earlier.end == later.start for earlier, later in pairwise(steps))
    assert all(step.start <= step.end for step in steps)
    assert steps[-1].start == steps[-1].end


@given(plans(), stops, moments)
def test_billable_time_is_absent_while_the_job_is_alive(one: JobPlan, stop: datetime | None, now: datetime) -> None:
    said = describe(one, now, stop)
    if said["TrainingJobStatus"] in {"InProgress", "Stopping"}:
        assert "BillableTimeInSeconds" not in said
        assert "TrainingEndTime" not in said
        assert "ModelArtifacts" not in said
    elif "TrainingStartTime" in said:
        assert 0 <= said["BillableTimeInSeconds"] <= said["TrainingTimeInSeconds"]  # type: ignore[operator] # whole seconds


@given(plans(), stops, moments, moments)
def test_what_was_said_of_the_past_stays_true(one: JobPlan, stop: datetime | None, first: datetime, second: datetime) -> None:
    earlier, later = sorted((first, second))
    before, after = (describe(one, now, stop if stop and stop <= now else None) for now in (earlier, later))
    assert before["LastModifiedTime"] <= after["LastModifiedTime"]  # type: ignore[operator] # both are datetimes
    rows_before, rows_after = before["SecondaryStatusTransitions"], after["SecondaryStatusTransitions"]
    assert isinstance(rows_before, list)
    assert isinstance(rows_after, list)
    closed = [row for row in rows_before if "EndTime" in row][:-1]
    assert rows_after[: len(closed)] == closed


@given(plans(), stops)
def test_training_seconds_are_those_of_the_stretches_on_instances(one: JobPlan, stop: datetime | None) -> None:
    facts = ended(one, stop)
    if facts.started_at is None:
        assert facts.training_seconds is None
        assert facts.intervals == ()
    else:
        assert facts.training_seconds == sum(whole_seconds(start, end) for start, end in facts.intervals)


@given(plans(), stops)
def test_the_description_at_the_end_says_what_ended_says(one: JobPlan, stop: datetime | None) -> None:
    facts = ended(one, stop)
    said = describe(one, settled_at(one, life(one, stop)), stop)
    assert said["TrainingJobStatus"] == facts.status
    assert said.get("TrainingTimeInSeconds") == facts.training_seconds
    assert said.get("BillableTimeInSeconds") == facts.billable_seconds
    assert said.get("TrainingStartTime") == facts.started_at


@given(plans(), stops)
def test_a_stop_takes_two_minutes_and_the_upload_at_most(one: JobPlan, stop: datetime | None) -> None:
    if stop is None or stop >= life(one).ended_at:
        return
    latest = max(stop, one.created_at) + timedelta(seconds=120 + one.phases.uploading_seconds)
    assert life(one, stop).ended_at <= max(latest, life(one).ended_at)


def test_training_starts_with_the_first_download_and_ends_with_the_terminal_step() -> None:
    one = plan(phases=Phases(0, 100, 50, 1000, 30))
    said = describe(one, AT + timedelta(hours=1))
    assert said["TrainingStartTime"] == AT + timedelta(seconds=100)
    assert said["TrainingEndTime"] == AT + timedelta(seconds=1180)
    assert said["TrainingTimeInSeconds"] == said["BillableTimeInSeconds"] == 1080


def test_a_wait_for_spot_capacity_is_no_training_time() -> None:
    one = plan(spot=True, billable_share=0.5, phases=Phases(0, 100, 50, 1000, 30), interruptions=(Interruption(400, 600),))
    facts = ended(one)
    assert facts.training_seconds == 50 + 400 + 50 + 600 + 30
    assert facts.billable_seconds == facts.training_seconds // 2
    assert [whole_seconds(start, end) for start, end in waits(life(one).steps)] == [600]
    statuses = [step.status for step in life(one).steps]
    assert statuses[2:7] == ["Training", "Interrupted", "Starting", "Downloading", "Training"]


def test_a_job_that_never_started_has_neither_times_nor_seconds() -> None:
    said = describe(plan(ending=failed("CapacityError", started=False)), AT + timedelta(days=1))
    assert said["TrainingJobStatus"] == "Failed"
    assert not {"TrainingStartTime", "TrainingEndTime", "TrainingTimeInSeconds", "BillableTimeInSeconds"} & said.keys()


def test_a_stop_passes_through_stopping_and_uploading() -> None:
    stop = AT + timedelta(minutes=10)
    one = plan()
    assert describe(one, stop, stop)["TrainingJobStatus"] == "Stopping"
    assert [step.status for step in life(one, stop).steps][-4:] == ["Training", "Stopping", "Uploading", "Stopped"]
    assert describe(one, stop + timedelta(minutes=4), stop)["SecondaryStatus"] == "Stopped"


def test_a_stop_before_the_instances_came_costs_nothing() -> None:
    facts = ended(plan(), AT + timedelta(seconds=30))
    assert (facts.status, facts.started_at, facts.billable_seconds) == ("Stopped", None, None)


def test_a_warm_pool_grows_until_it_is_released() -> None:
    one = plan(warm_pool=WarmPool(3600, 1800))
    end = ended(one).ended_at
    assert describe(one, end - timedelta(seconds=1))["WarmPoolStatus"] == {"Status": "InUse"}
    growing = describe(one, end + timedelta(seconds=600))
    assert growing["WarmPoolStatus"] == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 600}
    assert growing["LastModifiedTime"] == end
    over = describe(one, end + timedelta(hours=2))
    assert over["WarmPoolStatus"] == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 1800}
    assert over["LastModifiedTime"] == end + timedelta(seconds=1800)


def test_a_reused_warm_pool_names_the_job_that_took_it() -> None:
    one = plan(warm_pool=WarmPool(3600, 900, "the-next-job"))
    pool = describe(one, AT + timedelta(days=1))["WarmPoolStatus"]
    assert pool == {"Status": "Reused", "ReusedByJob": "the-next-job", "ResourceRetainedBillableTimeInSeconds": 900}


def test_overrides_replace_remove_and_reach_inside() -> None:
    overrides = {"TrainingJobStatus": "Hibernated", "RoleArn": ABSENT, "ResourceConfig.InstanceType": "ml.p9.48xlarge"}
    said = describe(plan(overrides=overrides), AT)
    assert said["TrainingJobStatus"] == "Hibernated"
    assert "RoleArn" not in said
    assert said["ResourceConfig"] == {"InstanceType": "ml.p9.48xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}


def test_an_override_inside_leaves_the_next_description_alone() -> None:
    describe(plan(overrides={"VpcConfig.Subnets": []}), AT)
    assert describe(plan(), AT)["VpcConfig"]["Subnets"]  # type: ignore[index] # a mapping


def test_a_heterogeneous_cluster_says_its_groups_and_no_instance_type() -> None:
    cluster = Cluster((Group("ml.g5.2xlarge", 2, "trainers"), Group("ml.m5.4xlarge", 1)), "groups")
    resources = describe(plan(cluster=cluster), AT)["ResourceConfig"]
    assert isinstance(resources, dict)
    assert "InstanceType" not in resources
    assert [group["InstanceCount"] for group in resources["InstanceGroups"]] == [2, 1]


def test_there_is_nothing_to_say_before_the_creation() -> None:
    with pytest.raises(LookupError, match="not created yet"):
        describe(plan(), AT - timedelta(seconds=1))
