"""Diverged: the objective or a loss is no number any more, has exploded, or has stopped getting better."""

from datetime import datetime
from math import inf, nan
from typing import Any

import pytest

from domain.findings import diverged
from domain.findings.finding import Finding
from domain.findings.series import NOTHING, Series
from domain.findings.situation import Held, Objective, Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, ago, ended, finding, levels, live, moved_to, no_verdict, seen

LATER = at(30)  # after thirty hours of training
HALF_DAY = 72  # samples, one in ten minutes


def reports(series: Series, name: str = "train:loss", **facts: Any) -> Situation:
    return seen(**{"metrics": {name: series}} | facts)


def half_days(*medians: float, name: str = "train:loss", **facts: Any) -> Situation:
    """A job that has trained for thirty hours, its metric at these levels in turn, half a day each."""
    series = levels(*[(value, HALF_DAY) for value in medians], until=LATER, every=600)
    return reports(series, name, now=LATER, **facts)


def test_a_loss_that_is_no_number_since_half_past_four_has_diverged() -> None:
    found = finding(diverged.judge(FIRING["diverged"]().situation, LIMITS))
    assert (found.severity, found.since) == ("critical", at(4.5))
    assert found.evidence == "train:loss has been NaN since 20 Nov 16:30 UTC."
    assert found.wasted_nusd == nusd("3")  # an hour and a half at $2


@pytest.mark.parametrize("value", [inf, -inf])
def test_an_infinite_loss_has_diverged(value: float) -> None:
    found = finding(diverged.judge(reports(levels((0.4, 60), (value, 1))), LIMITS))
    assert (found.severity, found.since) == ("critical", NOW)
    assert "inf" in found.evidence


def test_a_loss_that_became_a_number_again_has_not_diverged() -> None:
    assert diverged.judge(reports(levels((nan, 60), (0.4, 1))), LIMITS) is None


def test_ten_times_its_best_for_half_an_hour_is_an_explosion() -> None:
    found = finding(diverged.judge(reports(levels((0.4, 100), (4.8, 31))), LIMITS))
    assert (found.severity, found.since) == ("critical", ago(30))
    assert found.evidence == "train:loss is at 4.8, 12 times its best of 0.4."
    assert found.wasted_nusd == nusd("1")


def test_less_than_half_an_hour_is_a_spike() -> None:
    assert diverged.judge(reports(levels((0.4, 100), (4.8, 30))), LIMITS) is None
    assert diverged.judge(reports(levels((0.4, 100), (4.8, 40), (0.5, 1))), LIMITS) is None


def test_ten_times_its_best_is_not_yet_an_explosion() -> None:
    assert diverged.judge(reports(levels((0.5, 100), (5.0, 60))), LIMITS) is None


def test_nothing_can_be_said_of_times_a_best_of_nought_or_less() -> None:
    assert diverged.judge(reports(levels((0, 100), (500, 60))), LIMITS) is None
    assert diverged.judge(reports(levels((-0.4, 100), (500, 60))), LIMITS) is None


def test_an_explosion_of_twenty_minutes_ago_does_not_speak_of_now() -> None:
    assert diverged.judge(reports(levels((0.4, 100), (4.8, 60), until=ago(20))), LIMITS) is None


def test_a_loss_that_is_no_better_than_half_a_day_ago_has_stopped_getting_better() -> None:
    found = finding(diverged.judge(half_days(0.9, 0.31, 0.31), LIMITS))
    assert (found.severity, found.since) == ("warning", at(18))
    assert found.evidence == "train:loss has got no better for 12 h 00: 0.31 after 0.31."
    assert found.wasted_nusd == nusd("24")  # twelve hours at $2


def test_a_loss_that_still_gets_better_goes_on() -> None:
    assert diverged.judge(half_days(0.9, 0.31, 0.3099), LIMITS) is None


def test_single_lucky_values_are_no_improvement() -> None:
    series = half_days(0.9, 0.31, 0.31).metrics["train:loss"]
    values = [0.01 if place in (150, 160, 190) else value for place, value in enumerate(series.values)]
    finding(diverged.judge(reports(Series(series.times, values), now=LATER), LIMITS))


def test_a_job_younger_than_two_windows_is_not_judged_flat() -> None:
    young = levels((0.3, 143), until=at(23.9), every=600)
    assert diverged.judge(reports(young, now=at(23.9)), LIMITS) is None


def test_samples_that_do_not_reach_back_two_windows_are_not_judged_flat() -> None:
    assert diverged.judge(reports(levels((0.3, 140), until=LATER, every=600), now=LATER), LIMITS) is None


def test_too_few_samples_leave_no_verdict() -> None:
    few = levels((0.3, 5), until=LATER, every=6 * 3600)
    assert no_verdict(diverged.judge(reports(few, now=LATER, job=live(started=-24)), LIMITS)) == "too few samples of train:loss"


def test_a_metric_that_has_stopped_reporting_is_for_hung_to_judge() -> None:
    series = levels((0.3, 3 * HALF_DAY), until=at(29.6), every=600)
    assert not isinstance(diverged.judge(reports(series, now=LATER), LIMITS), Finding)


def test_a_metric_without_samples_leaves_no_verdict() -> None:
    situation = reports(NOTHING, no_samples_because="nobody may read them")
    assert "train:loss" in no_verdict(diverged.judge(situation, LIMITS))


def test_without_metrics_there_is_nothing_to_judge() -> None:
    assert diverged.judge(seen(), LIMITS) is None


@pytest.mark.parametrize(
    "name", ["loss", "val_loss", "validation:rmse", "train:mse", "MAE", "perplexity", "valid-error", "wer", "test_cer", "nll"]
)
def test_of_a_loss_or_an_error_less_is_better(name: str) -> None:
    finding(diverged.judge(reports(levels((0.4, 9), (nan, 9)), name), LIMITS))


@pytest.mark.parametrize("name", ["accuracy", "validation:auc", "f1", "learning_rate", "epoch", "answers", "concert", "errors_found"])
def test_of_other_metrics_nobody_knows_which_way_is_better(name: str) -> None:
    assert diverged.judge(reports(levels((0.4, 9), (nan, 9)), name), LIMITS) is None


def test_the_objective_of_a_tuning_job_is_judged_by_its_own_direction() -> None:
    objective = Objective("validation:auc", minimise=False)
    finding(diverged.judge(half_days(0.5, 0.8, 0.8, name="validation:auc", objective=objective), LIMITS))
    assert diverged.judge(half_days(0.5, 0.8, 0.81, name="validation:auc", objective=objective), LIMITS) is None


def test_an_objective_of_which_more_is_better_does_not_explode() -> None:
    objective = Objective("reward", minimise=False)
    assert diverged.judge(reports(levels((0.4, 100), (40, 60)), "reward", objective=objective), LIMITS) is None


def test_an_objective_to_be_made_greater_is_so_even_if_it_is_called_a_loss() -> None:
    objective = Objective("negative_loss", minimise=False)
    assert diverged.judge(half_days(-0.9, -0.3, -0.2, name="negative_loss", objective=objective), LIMITS) is None


def test_of_several_the_gravest_and_oldest_speaks() -> None:
    flat = half_days(0.9, 0.31, 0.31).metrics["train:loss"]
    broken = {"a:loss": levels((0.4, 60), (nan, 10), until=LATER), "b:loss": levels((0.4, 60), (nan, 30), until=LATER)}
    found = finding(diverged.judge(seen(now=LATER, metrics={"train:loss": flat} | broken), LIMITS))
    assert (found.severity, found.evidence.split()[0]) == ("critical", "b:loss")


def test_a_metric_without_samples_does_not_hide_one_that_has_diverged() -> None:
    finding(diverged.judge(seen(metrics={"a:loss": NOTHING, "b:loss": levels((nan, 9))}), LIMITS))


@pytest.mark.parametrize("status", ["Starting", "Downloading", "Uploading", "Interrupted"])
def test_a_job_in_another_status_than_training_is_not_judged(status: str) -> None:
    assert diverged.judge(moved_to(FIRING["diverged"]().situation, status), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert diverged.judge(ended(FIRING["diverged"]().situation, status), LIMITS) is None


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    assert finding(diverged.judge(reports(levels((nan, 9)), rate_usd=None), LIMITS)).wasted_nusd is None


def test_another_window_judges_otherwise() -> None:
    situation = half_days(0.9, 0.31, 0.31)
    assert diverged.judge(situation, Thresholds(diverged_minutes=901)) is None
    assert finding(diverged.judge(situation, Thresholds(diverged_minutes=360))).since == at(24)


def test_a_loss_that_has_been_flat_for_long_keeps_its_beginning() -> None:
    found = finding(diverged.judge(half_days(0.9, 0.31, 0.31, held={"diverged": Held(at(15), LATER)}), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(15), nusd("30"))
    assert "for 15 h 00" in found.evidence


def test_the_name_of_a_metric_is_never_changed() -> None:
    assert "finance:loss has been NaN" in finding(diverged.judge(reports(levels((nan, 9)), "finance:loss"), LIMITS)).evidence


def test_a_loss_reported_every_twenty_minutes_is_no_number_since_the_first_that_was_none() -> None:
    found = finding(diverged.judge(reports(levels((0.4, 6), (nan, 10), every=1200)), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(3), nusd("6"))


def test_a_sample_of_the_near_future_does_not_make_a_finding_begin_after_now() -> None:
    future = datetime.fromtimestamp(NOW.timestamp() + 120, NOW.tzinfo)
    found = finding(diverged.judge(reports(levels((0.4, 60), (nan, 1), until=future)), LIMITS))
    assert found.since <= NOW


def test_what_one_metric_does_is_not_said_to_have_begun_with_what_another_did() -> None:
    situation = reports(levels((0.4, 60), (nan, 61)), held={"diverged": Held(at(1), NOW)})
    assert "since 20 Nov 17:00 UTC" in finding(diverged.judge(situation, LIMITS)).evidence
