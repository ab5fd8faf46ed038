"""What the rules are told of a job, where some of it is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.findings.series import NOTHING
from domain.findings.situation import CPU, GPU, GPU_MEMORY, Held, epoch, instant
from domain.money import nusd
from tests.descriptions import at
from tests.situations import NOW, ago, ended, levels, live, moved_to, on_hosts, seen

WAITED = (("Downloading", 0), ("Training", 0.5), ("Interrupted", 2), ("Starting", 2.1), ("Downloading", 4), ("Training", 4.5))
GROUPS = {"InstanceGroups": [
    {"InstanceType": "ml.g5.12xlarge", "InstanceCount": 1}, {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
]}  # fmt: skip


def test_the_wait_after_an_interruption_is_not_time_on_instances() -> None:
    assert seen(live(*WAITED, spot=True)).ran_seconds == 4 * 3600


def test_the_hosts_of_a_mixed_cluster_are_in_the_order_of_its_groups() -> None:
    situation = seen(live(ResourceConfig=GROUPS))
    assert situation.hosts == ("ml.g5.12xlarge", "ml.m5.xlarge", "ml.m5.xlarge")
    assert situation.gpu_hosts() == (1,)
    assert not situation.is_cpu_job()


def test_a_status_is_as_old_as_its_transition() -> None:
    assert seen(live(("Starting", -1), ("Downloading", 2))).in_status_since == at(2)
    assert seen(live(SecondaryStatusTransitions=[])).in_status_since is None


def test_a_job_trains_since_its_last_transition_to_training() -> None:
    assert seen(live(*WAITED, spot=True)).training_since == at(4.5)


def test_a_job_without_transitions_trains_since_its_start() -> None:
    assert seen(live(SecondaryStatusTransitions=[])).training_since == at(0)


@pytest.mark.parametrize("status", ["Starting", "Pending", "Downloading", "Uploading", "Interrupted", "Updating", "Restarting"])
def test_a_job_in_another_status_does_not_train(status: str) -> None:
    assert seen(live(("Training", 0), (status, 1))).training_since is None


def test_a_job_that_stops_or_has_ended_does_not_train() -> None:
    assert moved_to(seen(), "Training", status="Stopping").training_since is None
    assert ended(seen()).training_since is None


def test_use_is_in_percent_of_all_gpus_or_all_cores_of_a_host() -> None:
    gpus = seen(live(instance_type="ml.g5.12xlarge"), series=on_hosts(levels((300, 3))) | on_hosts(levels((40, 3)), metric=GPU_MEMORY))
    cores = seen(live(instance_type="ml.m5.xlarge"), series=on_hosts(levels((300, 3)), metric=CPU))
    shares = [gpus.percent(1, GPU), gpus.percent(1, GPU_MEMORY), cores.percent(1, CPU)]
    assert [list(share.values) for share in shares if share] == [[75.0] * 3, [10.0] * 3, [75.0] * 3]


def test_use_is_unknown_without_samples_without_a_capacity_and_of_a_host_that_is_not_there() -> None:
    one = on_hosts(levels((50, 3)), levels((50, 3)))
    assert seen().percent(1, GPU) is None
    assert seen(series=on_hosts(NOTHING)).percent(1, GPU) is None
    assert seen(live(instance_type="ml.x9.huge"), series=one).percent(1, GPU) is None
    assert seen(live(instance_type="ml.m5.xlarge"), series=one).percent(1, GPU) is None
    assert seen(series=one).percent(2, GPU) is None


def test_nobody_knows_the_gpus_of_a_type_outside_the_catalogue() -> None:
    situation = seen(live(instance_type="ml.x9.huge"))
    assert (situation.gpu_hosts(), situation.is_cpu_job()) == (None, False)


def test_trainium_has_no_gpus_and_is_no_cpu_job() -> None:
    situation = seen(live(instance_type="ml.trn1.2xlarge"))
    assert (situation.gpu_hosts(), situation.is_cpu_job()) == ((), False)


def test_a_job_without_instances_is_neither() -> None:
    situation = seen(live(ResourceConfig={"VolumeSizeInGB": 30}))
    assert (situation.hosts, situation.gpu_hosts(), situation.is_cpu_job()) == ((), (), False)


def test_the_samples_of_hosts_end_where_the_first_of_them_ends() -> None:
    assert seen().newest([levels((1, 9)), levels((1, 9), until=ago(7))]) == epoch(ago(7))


def test_samples_older_than_fifteen_minutes_do_not_speak_of_now() -> None:
    assert seen().newest([levels((1, 9), until=ago(15))]) == epoch(ago(15))
    assert seen().newest([levels((1, 9), until=ago(15.1))]) is None


def test_samples_of_the_near_future_are_new_enough() -> None:
    assert seen().newest([levels((1, 9), until=ago(-5))]) == epoch(ago(-5))


def test_samples_that_are_not_there_end_nowhere() -> None:
    assert seen().newest([]) is None
    assert seen().newest([levels((1, 9)), NOTHING]) is None


def test_money_since_an_instant_is_that_of_the_time_on_instances() -> None:
    situation = seen(live(*WAITED, spot=True))
    assert situation.spent_since(at(0)) == nusd("8")
    assert situation.spent_since(at(3)) == situation.spent_since(at(4)) == nusd("4")
    assert situation.spent_since(at(5), 25) == nusd("0.5")
    assert situation.spent_since(at(7)) == 0


def test_money_of_a_spot_job_is_at_its_billable_share_and_none_under_a_plan() -> None:
    planned = live(ResourceConfig={"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "TrainingPlanArn": "arn:aws:sagemaker:::plan"})
    assert seen(live(spot=True), share=0.3).spent_since(at(1)) == nusd("3")
    assert seen(planned).spent_since(at(1)) == 0


def test_money_is_unknown_without_a_price() -> None:
    situation = seen(rate_usd=None)
    assert (situation.spent_since(at(0)), situation.left_nusd()) == (None, None)


def test_what_is_left_is_what_its_limit_leaves() -> None:
    situation = seen()  # six of twenty-four hours
    assert (situation.left_seconds(), situation.left_nusd()) == (18 * 3600, nusd("36"))


def test_nothing_is_left_beyond_the_limit_and_nobody_knows_without_one() -> None:
    assert seen(live(StoppingCondition={"MaxRuntimeInSeconds": 3600})).left_seconds() == 0
    unlimited = seen(live(StoppingCondition={}))
    assert (unlimited.left_seconds(), unlimited.left_nusd()) == (None, None)


def test_a_look_of_half_an_hour_ago_is_the_oldest_that_counts() -> None:
    assert seen().looked_lately(ago(30))
    assert not seen().looked_lately(ago(31))
    assert not seen().looked_lately(None)


def test_missing_samples_are_said_to_be_missing() -> None:
    silent = seen(live(count=5), no_samples_because="nobody may read them")
    some = replace(silent, series=on_hosts(levels((1, 3)), NOTHING))
    assert silent.missing(numbers=(1, 2, 3, 4, 5), metric=GPU) == "nobody may read them"
    assert some.missing(numbers=(1, 2, 3, 4, 5), metric=GPU) == "no samples of algo-2, algo-3, algo-4"
    assert some.missing(numbers=(1,), metric=GPU) is None


def test_a_finding_that_is_open_keeps_the_instant_it_began() -> None:
    situation = seen(held={"idle_gpu": Held(at(-30), at(5))})
    assert situation.began("idle_gpu", at(1)) == at(-30)
    assert situation.began("idle_gpu", at(1), at(1)) == at(-30)
    assert situation.began("hung", at(1)) == at(1)


def test_what_is_seen_to_have_begun_after_a_finding_last_held_is_another() -> None:
    assert seen(held={"idle_gpu": Held(at(-30), at(3))}).began("idle_gpu", at(4)) == at(4)


def test_samples_that_were_read_and_are_against_it_are_not_overlooked() -> None:
    """It is seen to have begun an hour after the first sample that was read: what lies between was no evidence for it."""
    assert seen(held={"idle_gpu": Held(at(-30), at(5))}).began("idle_gpu", at(1), at(0)) == at(1)


def test_a_finding_may_have_begun_earlier_than_was_seen() -> None:
    assert seen(held={"idle_gpu": Held(at(2), at(5))}).began("idle_gpu", at(1)) == at(1)


def test_epoch_seconds_and_instants_are_two_words_for_one() -> None:
    assert instant(epoch(NOW)) == NOW
    assert epoch(NOW + timedelta(milliseconds=999)) == epoch(NOW)
