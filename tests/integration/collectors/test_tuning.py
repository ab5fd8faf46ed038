"""Hyperparameter tuning jobs collected over HTTP from the simulated account."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from demo.innocents import searching
from demo.oddities import tuning as ended_search
from demo.plan import Algorithm, Cluster, JobPlan, failed
from domain.access import Person, Refusal
from domain.findings.situation import Objective
from domain.stopping import StopLimits, plan_stop
from domain.tuning import TuningJob
from storage.descriptions import unpack
from storage.engine import reading, writing
from storage.schema_operations import tuning_jobs
from storage.views.situations import situations
from storage.views.targets import tuning_targets
from storage.views.tuning import ChildRow, TuningRow, tuning_rows
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW, Watched, lasting, plan


def child(tuner: str, number: int, hours: float, value: float = 0.5, *, metric: str = "validation:loss", **members: Any) -> JobPlan:
    """A trial that a tuning job launched so many hours ago; it trains for an hour unless told otherwise."""
    algorithm = Algorithm(metrics=((metric, "value=([0-9]+)"),), final_metrics=((metric, value),))
    given: dict[str, Any] = {"tuning_job": tuner, "algorithm": algorithm, "cluster": Cluster.of("ml.m5.xlarge"), "tags": {"Team": "rc"}}
    return plan(f"{tuner}-{number:03}-1a2b3c4d", created=hours * HOUR, **(given | members))


def ready(watch: Watch, *plans: JobPlan, **sections: Any) -> Watched:
    """An account whose jobs are in the books."""
    account = watch(plans, **sections)
    assert account.run().outcome == "ok"
    return account


def found(account: Watched) -> dict[str, TuningRow]:
    """The tuning jobs in the books by name."""
    with reading(account.engine) as connection:
        return {row.job.name: row for row in tuning_rows(connection)}


def children(row: TuningRow) -> dict[str, ChildRow]:
    """The children of a tuning job by their number."""
    return {one.name.rsplit("-", 2)[1]: one for one in row.children}


def test_a_search_is_kept_with_its_objective_its_best_and_what_each_child_reached(watch: Watch) -> None:
    account = ready(
        watch,
        child("tuner", 1, 6, 0.4),
        child("tuner", 2, 5, 0.2, hyperparameters={"lr": "0.01", "depth": "6"}),
        child("tuner", 3, 4, 0.3, ending=failed("AlgorithmError")),
        child("tuner", 4, 0.5, phases=lasting(9)),
    )
    report = account.run("tuning")
    assert (report.outcome, report.rows) == ("ok", 1)
    row = found(account)["tuner"]
    job = row.job
    assert isinstance(job, TuningJob)
    assert (job.status, job.objective, job.strategy) == ("InProgress", Objective("validation:loss", minimise=True), "Bayesian")
    assert (job.best_child, job.best_value) == ("tuner-002-1a2b3c4d", 0.2)
    assert (job.completed, job.running, job.failed, job.most_children) == (2, 1, 1, 4)
    assert (row.team, row.known) == ("rc", 4)
    assert {number: (one.status, one.objective) for number, one in children(row).items()} == {
        "001": ("Completed", 0.4), "002": ("Completed", 0.2), "003": ("Failed", None), "004": ("InProgress", None),
    }  # fmt: skip
    assert dict(children(row)["002"].parameters) == {"lr": "0.01", "depth": "6"}


def test_parameters_that_look_like_secrets_are_masked_before_they_are_kept(watch: Watch) -> None:
    spoken = {"lr": "0.01", "wandb_api_key": "local-0123456789", "note": "AKIA" + "A" * 16}
    account = ready(watch, child("tuner", 1, 6, hyperparameters=spoken))
    account.run("tuning")
    assert dict(children(found(account)["tuner"])["001"].parameters) == {"lr": "0.01", "wandb_api_key": "***", "note": "***"}


def test_a_description_is_kept_without_what_may_hold_secrets(watch: Watch) -> None:
    account = ready(watch, child("tuner", 1, 6, hyperparameters={"db_password": "hunter2"}))
    account.run("tuning")
    (kept,) = account.rows(select(tuning_jobs.c.description))
    assert "BestTrainingJob" in unpack(kept.description)
    assert "hunter2" not in str(unpack(kept.description))
    assert "TrainingJobDefinition" not in unpack(kept.description)


def test_a_search_that_has_ended_is_not_asked_for_again_and_one_that_goes_on_is(watch: Watch) -> None:
    ended, brief = child("ended", 1, 6), child("brief", 1, 0.8, phases=lasting(0.1))  # which the next listing still has
    account = ready(watch, ended, brief, child("alive", 1, 2), child("alive", 2, 0.5), child("alive", 3, -2))
    account.run("tuning")
    assert {name: row.job.status for name, row in found(account).items()} == {
        "ended": "Completed", "brief": "Completed", "alive": "InProgress",
    }  # fmt: skip
    account.aws.calls.clear()
    account.later(10 * MINUTE, "tuning")
    assert account.aws.calls["DescribeHyperParameterTuningJob"] == 1
    assert account.aws.calls["ListTrainingJobsForHyperParameterTuningJob"] == 1
    account.later(5 * HOUR, "tuning")
    assert found(account)["alive"].job.status == "Completed"
    assert len(found(account)["alive"].children) == 3
    account.aws.calls.clear()
    account.later(5 * MINUTE, "tuning")
    assert account.aws.calls["DescribeHyperParameterTuningJob"] == 0
    assert account.aws.calls["ListHyperParameterTuningJobs"] == 1


def test_what_a_child_reached_is_there_once_it_has_ended(watch: Watch) -> None:
    account = ready(watch, child("tuner", 1, 0.5, 0.25), child("tuner", 2, -0.5))
    account.run("tuning")
    assert children(found(account)["tuner"])["001"].objective is None
    account.later(50 * MINUTE)
    account.run("tuning")
    reached = children(found(account)["tuner"])
    assert (reached["001"].objective, reached["001"].status, len(reached)) == (0.25, "Completed", 2)


def test_a_search_that_began_between_two_runs_is_found(watch: Watch) -> None:
    account = ready(watch, child("before", 1, 6))
    account.run("tuning")
    account.aws.add(child("brief", 1, -0.1))
    account.aws.add(child("after", 1, -1.5))
    account.later(2 * HOUR, "tuning")
    assert {name: row.job.status for name, row in found(account).items()} == {
        "before": "Completed", "brief": "Completed", "after": "InProgress",
    }  # fmt: skip


@pytest.mark.parametrize("minutes", [3, -3])
def test_a_clock_that_is_wrong_by_minutes_overlooks_no_search(minutes: int, watch: Watch) -> None:
    account = ready(watch)
    account.ahead = minutes * MINUTE
    account.run("tuning")
    for number in range(6):
        account.aws.add(child(f"tuner-{number}", 1, -(number + 1) / 60))
    for _ in range(8):
        account.later(MINUTE, "tuning")
    assert len(found(account)) == 6


def test_searches_as_old_as_the_history_are_found_on_the_first_run(watch: Watch) -> None:
    old = [child(f"tuner-{number:02}", 1, 24.0 * (number + 1)) for number in range(30)]
    account = ready(watch, *old, collect={"history_days": 20})
    assert account.run("tuning").rows == len(found(account)) == 19


def test_a_listing_of_several_pages_is_read_to_its_end(watch: Watch) -> None:
    account = ready(watch, *(child(f"tuner-{number:03}", 1, number + 2) for number in range(120)))
    assert account.run("tuning").rows == 120
    assert account.aws.calls["ListHyperParameterTuningJobs"] == 2
    assert len(found(account)) == 120


def test_all_children_are_there_however_many_pages_they_take(watch: Watch) -> None:
    account = ready(watch, *(child("tuner", number, 40 - number / 10, number / 1000) for number in range(1, 231)))
    account.run("tuning")
    assert account.aws.calls["ListTrainingJobsForHyperParameterTuningJob"] == 3
    reached = children(found(account)["tuner"])
    assert {number: one.objective for number, one in reached.items()} == {f"{number:03}": number / 1000 for number in range(1, 231)}


OPERATIONS = ("ListHyperParameterTuningJobs", "DescribeHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_denied_the_run_fails_in_words_and_the_next_goes_on(operation: str, watch: Watch) -> None:
    account = ready(watch, child("tuner", 1, 6))
    account.aws.faults.deny(operation)
    report = account.run("tuning")
    assert report.outcome == "failed"
    assert f"sagemaker:{operation} is denied: add sagemaker:{operation} to" in report.message
    assert account.later(MINUTE).outcome == "ok"
    account.aws.faults.clear()
    assert account.later(MINUTE, "tuning").outcome == "ok"
    assert found(account)["tuner"].job.status == "Completed"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_after_a_failure_in_the_middle_every_search_is_there_in_the_end(operation: str, watch: Watch) -> None:
    account = ready(watch, *(child(f"tuner-{number}", 1, 6 + number) for number in range(5)))
    account.aws.faults.fail(operation, 500)
    assert account.run("tuning").outcome == "failed"
    account.aws.faults.clear()
    assert account.later(3 * HOUR, "tuning").outcome == "ok"
    assert len(found(account)) == 5


def test_a_search_that_aws_no_longer_knows_stays_in_the_books_and_is_not_asked_for_for_ever(watch: Watch) -> None:
    doomed = [child("doomed", number, 0.5, phases=lasting(20), deleted_at=NOW + HOUR) for number in (1, 2)]
    account = ready(watch, *doomed, child("alive", 1, 0.4, phases=lasting(30)))
    account.run("tuning")
    assert account.later(2 * HOUR, "tuning").outcome == "ok"
    assert len(found(account)["doomed"].children) == 2
    account.aws.calls.clear()
    assert account.later(10 * MINUTE, "tuning").outcome == "ok"
    assert account.aws.calls["DescribeHyperParameterTuningJob"] == 1
    assert (found(account)["doomed"].job.status, found(account)["doomed"].job.is_live) == ("Gone", False)
    with reading(account.engine) as connection:
        (target,) = tuning_targets(connection, "doomed")
    refused = plan_stop([target], Person("ann", "admin", via="shell"), "it hangs", StopLimits(10, 15), account.now())
    assert isinstance(refused, Refusal)
    assert "already ended (Gone)" in refused.why
    assert found(account)["alive"].observed_at == NOW + 2 * HOUR + 10 * MINUTE


def test_a_team_sees_its_searches_however_many_others_have_begun_since(watch: Watch) -> None:
    mine = child("mine", 1, 9, 0.4, tags={"Team": "rc"})
    account = ready(watch, mine, *(child(f"theirs-{n}", 1, 5, 0.2, tags={"Team": "nlp"}) for n in range(5)))
    account.run("tuning")
    with reading(account.engine) as connection:
        assert [row.job.name for row in tuning_rows(connection, ["rc"], limit=2)] == ["mine"]
        assert len(tuning_rows(connection, limit=2)) == 2


def test_a_name_that_is_used_again_is_another_search(watch: Watch) -> None:
    account = ready(watch, child("tuner", 1, 3, phases=lasting(20)))
    account.run("tuning")
    with writing(account.engine) as connection:  # the account cannot delete a search, so let the one we know be an earlier one
        connection.execute(update(tuning_jobs).values(created_second=int((NOW - 9 * HOUR).timestamp())))
    for _ in range(2):
        assert account.later(10 * MINUTE, "tuning").outcome == "ok"
        kept = account.rows(select(tuning_jobs.c.created_second, tuning_jobs.c.watched).order_by(tuning_jobs.c.created_second))
        assert [(row.created_second, row.watched) for row in kept] == [
            (int((NOW - 9 * HOUR).timestamp()), False),
            (int((NOW - 3 * HOUR).timestamp()), True),
        ]


def test_the_demos_searches_come_with_all_they_have(watch: Watch) -> None:
    ended, live = ended_search(NOW - 2 * DAY, Random(1)), searching(NOW)  # noqa: S311 - a seed, as the workload has
    account = ready(watch, *ended, *live)
    account.run("tuning")
    rows = {row.job.is_live: row for row in found(account).values()}
    assert len(rows[False].children) == 6
    assert rows[False].stopped_early == 1
    assert len(rows[True].children) == sum(one.created_at <= NOW for one in live)


def _situation(account: Watched, name: str) -> Any:
    with reading(account.engine) as connection:
        placed = situations(connection, 1, datetime(2020, 1, 1, tzinfo=NOW.tzinfo), timedelta(hours=30))
    return next(one.situation for one in placed if one.situation.job.name == name)


def test_the_objective_reaches_the_children_so_that_more_of_it_counts_as_better(watch: Watch) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/Rising"  # of which AWS writes the case now so, now so
    lasts: dict[str, Any] = {"phases": lasting(60), "overrides": {"TuningJobArn": arn}}
    flat = child("Rising", 1, 32, metric="validation:auc", behaviour="plateau", **lasts)
    grows = child("Rising", 2, 32, metric="validation:auc", phases=lasting(60))
    alone = replace(flat, name="alone", tuning_job=None, overrides={})
    falls = child("Falling", 1, 32, metric="validation:loss", phases=lasting(60))
    account = ready(watch, flat, grows, alone, falls)
    assert account.collect("metrics", "tuning") == {"metrics": "ok", "tuning": "ok"}
    assert _situation(account, flat.name).objective == Objective("validation:auc", minimise=False)
    assert _situation(account, falls.name).objective == Objective("validation:loss", minimise=True)
    assert _situation(account, "alone").objective is None
    account.judge()
    diverged = {job: row.evidence for (job, rule), row in account.open_findings().items() if rule == "diverged"}
    assert list(diverged) == [flat.name]
    assert diverged[flat.name].startswith("validation:auc has got no better for")
