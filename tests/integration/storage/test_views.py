"""The views, on each kind of database, against sums worked out from the jobs themselves."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.money import nusd
from domain.period import Period
from storage.engine import reading
from storage.views.burn import burn_history
from storage.views.collection import oddity_counts
from storage.views.joblist import JobFilter, each_job, filter_values, jobs_named, list_jobs
from storage.views.live import live_jobs
from storage.views.spend import DIMENSIONS, NOTHING, Spend, dearest_jobs, spend_by, total_spend
from tests.descriptions import at, description
from tests.integration.derivations.test_keep import TEAMS, keep

GROUPS = [{"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2}, {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}]
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
LONG = Period(date(2026, 8, 17), date(2026, 12, 9))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Jobs of three teams over some months, some alive, one heterogeneous, one without a price."""
    found = [
        description(
            f"rc-fraud-m{number % 3}-{number:014}",
            created=-100 * number,
            ran=3 + number % 5 * 11,
            spot_share=0.4 if number % 2 == 0 else None,
            instance_type=("ml.g5.2xlarge", "ml.m5.xlarge")[number % 2],
            status=("Completed", "Failed")[number % 4 == 0],
        )
        for number in range(20)
    ]
    found += [
        description(
            "nlp-llm-hetero-20261120-120000",
            created=2,
            ran=20,
            modified=40,
            ResourceConfig={"InstanceGroups": GROUPS, "VolumeSizeInGB": 10},
        ),
        description("rc-credit-odd-20261120-120000", created=3, ran=30, instance_type="ml.p9.48xlarge"),
        description("nlp-llm-live-20261120-120000", created=1, ran=None),
        description("rc-fraud-live-20261120-120000", created=-30, ran=None, spot_share=1),
    ]
    keep(engine, found, TEAMS, observed=at(30))
    return engine


def ask(engine: Engine, by: Sequence[str], period: Period, teams: Sequence[str] | None = None) -> dict[tuple[Any, ...], Spend]:
    with reading(engine) as connection:
        return spend_by(connection, by, period, teams)


def added(found: dict[tuple[Any, ...], Spend]) -> Spend:
    total = NOTHING
    for spend in found.values():
        total += spend
    return total


def test_every_way_of_asking_adds_up_to_the_same_money(filled: Engine) -> None:
    for period in (NOVEMBER, LONG, Period(date(2026, 11, 20), date(2026, 11, 21))):
        with reading(filled) as connection:
            total = total_spend(connection, period)
        for size in (1, 2, 3):
            for by in combinations(DIMENSIONS, size):
                found = added(ask(filled, by, period))
                assert found[2:] == total[2:], (by, period)
                if not {"day", "month", "instance_type"} & set(by):
                    assert found[:2] == total[:2], (by, period)


def test_a_job_counts_on_each_of_its_days_and_once_in_the_period(filled: Engine) -> None:
    days = ask(filled, ("day",), NOVEMBER, ["nlp"])
    assert {key[0].day: spend.jobs for key, spend in days.items()} == {20: 2, 21: 2}
    assert ask(filled, (), NOVEMBER, ["nlp"])[()].jobs == 2


def test_a_heterogeneous_job_counts_in_each_instance_type(filled: Engine) -> None:
    ended = {key: spend for key, spend in ask(filled, ("instance_type", "status"), NOVEMBER, ["nlp"]).items() if key[1] == "Completed"}
    assert {key[0]: spend.jobs for key, spend in ended.items()} == {"ml.g5.2xlarge": 1, "ml.m5.xlarge": 1}
    assert ended["ml.g5.2xlarge", "Completed"].compute_nusd == 20 * 2 * nusd("1.515")


def test_a_job_that_started_before_the_period_counts_if_it_ran_on_its_first_day(filled: Engine) -> None:
    with reading(filled) as connection:
        assert total_spend(connection, Period(date(2026, 11, 21), date(2026, 11, 22)), ["nlp"]).jobs == 2
        assert total_spend(connection, Period(date(2026, 11, 22), date(2026, 11, 23)), ["nlp"]).jobs == 0


def test_an_unpriced_job_is_counted_with_its_hours_and_no_money(filled: Engine) -> None:
    spend = ask(filled, ("project",), NOVEMBER)["credit",]
    assert (spend.jobs, spend.unpriced_jobs, spend.cost_nusd, spend.instance_seconds) == (1, 1, 0, 30 * 3600)


def test_an_unknown_dimension_is_refused_with_the_choice(filled: Engine) -> None:
    with pytest.raises(ValueError, match="choose from team"):
        ask(filled, ("colour",), NOVEMBER)


def test_live_jobs_accrue_until_the_last_look(filled: Engine) -> None:
    with reading(filled) as connection:
        live = {job.name: job for job in live_jobs(connection)}
    job = live["nlp-llm-live-20261120-120000"]
    assert (job.accrual.burn_nusd_per_hour, job.accrual.seconds) == (nusd("1.515"), int(28.9 * 3600))
    assert live["rc-fraud-live-20261120-120000"].billable_share == pytest.approx(0.4, abs=0.01)


def test_the_dearest_jobs_of_a_period_are_those_that_cost_most_within_it(filled: Engine) -> None:
    with reading(filled) as connection:
        for period in (NOVEMBER, LONG, Period(date(2026, 11, 21), date(2026, 11, 22))):
            found = dearest_jobs(connection, period, limit=5)
            assert [job.cost_nusd for job in found] == sorted((job.cost_nusd for job in found), reverse=True)
            everything = dearest_jobs(connection, period, limit=100)
            assert found == everything[:5]
            assert sum(job.cost_nusd for job in everything) == total_spend(connection, period).cost_nusd
        assert {job.team for job in dearest_jobs(connection, NOVEMBER, ["nlp"])} == {"nlp"}


def test_jobs_are_filtered_sorted_and_cut_into_pages(filled: Engine) -> None:
    def names(wanted: JobFilter, **more: Any) -> list[str]:
        with reading(filled) as connection:
            return [row.name for row in list_jobs(connection, wanted, **more).rows]

    assert len(names(JobFilter())) == 24
    assert len(names(JobFilter(), limit=10, offset=20)) == 4
    assert names(JobFilter(text="HETERO")) == ["nlp-llm-hetero-20261120-120000"]
    assert names(JobFilter(text="%")) == []
    assert len(names(JobFilter(instance_types=("ml.m5.xlarge",)))) == 11
    assert names(JobFilter(teams=("nlp",), statuses=("InProgress",))) == ["nlp-llm-live-20261120-120000"]
    assert names(JobFilter(since=at(1), until=at(2.5)), sort="newest") == ["nlp-llm-hetero-20261120-120000", "nlp-llm-live-20261120-120000"]
    assert names(JobFilter(basis="unpriced")) == ["rc-credit-odd-20261120-120000"]
    dearest = names(JobFilter(), sort="dearest")
    assert dearest[0] == "nlp-llm-hetero-20261120-120000"
    assert set(dearest[-3:]) == {name for name in dearest if "live" in name or "odd" in name}


def test_a_job_comes_with_everything_we_know_of_it(filled: Engine) -> None:
    with reading(filled) as connection:
        (detail,) = jobs_named(connection, "nlp-llm-hetero-20261120-120000")
        assert len(list(each_job(connection, JobFilter(), 7))) == 7
        assert jobs_named(connection, "nope") == []
    assert detail.row.instances == (("ml.g5.2xlarge", 2, nusd("1.515")), ("ml.m5.xlarge", 1, nusd("0.23")))
    assert detail.row.mode == "distributed"


def test_filters_offer_what_occurs(filled: Engine) -> None:
    with reading(filled) as connection:
        values = filter_values(connection)
    assert values["teams"] == ["nlp", "rc"]
    assert values["instance_types"] == ["ml.g5.2xlarge", "ml.m5.xlarge", "ml.p9.48xlarge"]
    assert values["statuses"] == ["Completed", "Failed", "InProgress"]


def test_burn_over_a_day_holds_ended_and_live_jobs(filled: Engine) -> None:
    with reading(filled) as connection:
        burning = dict(burn_history(connection, at(30), ["nlp"]))
    hetero = 2 * nusd("1.515") + nusd("0.23")
    assert burning[at(30)] == pytest.approx(nusd("1.515"), abs=10)
    assert burning[at(12)] == pytest.approx(nusd("1.515") + hetero, abs=10)
    assert len(burning) == 97
    assert min(burning) == at(30) - timedelta(hours=24)


def test_oddities_are_counted_with_an_example(engine: Engine) -> None:
    keep(engine, [description("rc-fraud-a", TrainingJobStatus="Asleep"), description("rc-fraud-b", TrainingJobStatus="Asleep")], TEAMS)
    with reading(engine) as connection:
        (row,) = [one for one in oddity_counts(connection) if one.member == "TrainingJobStatus"]
    assert (row.jobs, row.example_detail) == (2, "Asleep")
