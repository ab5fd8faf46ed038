"""From AWS over HTTP to the command line: what `trainwatch cost` says equals what the simulator's own plans add up to.

The expected figures are worked out here from plans and prices alone, in Decimal, sharing no code with the product.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from click.testing import CliRunner

import demo
from cli import main
from demo import server
from demo.clock import SetClock
from demo.lifecycle import Ended, ended
from demo.plan import ABSENT, JobPlan
from demo.prices import rates, shipped, storage_rate
from demo.workload import workload

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CENT = Decimal("0.01")
NVME = ("ml.g4dn.", "ml.g5.", "ml.g6.", "ml.g6e.", "ml.g7e.", "ml.p3dn.", "ml.p4d.", "ml.p5.", "ml.trn1.")
ENDED = {"Completed", "Failed", "Stopped"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A simulated account, collected once, and settings and credentials that point at it."""
    plans, folder = workload(1, 1500, NOW), tmp_path_factory.mktemp("whole-way")
    with server.start(plans, SetClock(NOW)) as aws, pytest.MonkeyPatch.context() as patch:
        config = folder / "trainwatch.toml"
        config.write_text(f'[database]\nurl = "sqlite:///{folder / "trainwatch.db"}"\n{demo.settings_text()}')
        for name, value in {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "TRAINWATCH_CONFIG": str(config),
        }.items():
            patch.setenv(name, value)
        patch.setattr("cli.now", aws.clock.now)
        run("collect", "--once")
        yield aws


@pytest.fixture(autouse=True)
def no_settings_from_outside(account: server.Server) -> None:
    """The account's own are those of every test here."""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def visible(plans: Sequence[JobPlan]) -> list[JobPlan]:
    """The jobs that AWS lists now."""
    return [plan for plan in plans if plan.created_at <= NOW and (plan.deleted_at is None or plan.deleted_at > NOW)]


def end_of(plan: JobPlan) -> Ended | None:
    """How a job ended, or None while it lives; an unknown status lives until it has an end."""
    status = plan.overrides.get("TrainingJobStatus")
    found = ended(plan)
    return None if found.ended_at > NOW or (status not in (None, *ENDED) and found.started_at is None) else found


def cost_of(plan: JobPlan, end: Ended) -> Decimal | None:
    """What an ended job cost, in dollars; None for one without a price."""
    if plan.serverless_tokens is not None:
        return None
    if end.started_at is None:
        return Decimal(0)
    known = rates(shipped())
    billed = end.training_seconds if plan.overrides.get("BillableTimeInSeconds") is ABSENT else end.billable_seconds
    retained = min(end.warm_pool_seconds, int((NOW - end.ended_at).total_seconds()))
    total = Decimal(0)
    for group in plan.cluster.groups:
        rate = known.get((group.instance_type, plan.region))
        if rate is None and plan.training_plan_arn is None:
            return None
        hours = Decimal((billed or 0) * group.count) / 3600
        if plan.training_plan_arn is None and rate is not None:
            total += hours * rate
        if rate is not None:
            total += Decimal(retained * group.count) / 3600 * rate
        if not group.instance_type.startswith(NVME):
            gb_seconds = Decimal(plan.volume_gb * group.count * (end.training_seconds or 0))
            total += gb_seconds / (3600 * 730) * storage_rate(plan.region)
    return total


def test_the_cost_of_the_demo_account_equals_its_own_plans_to_the_cent(account: server.Server) -> None:
    since = (NOW - timedelta(days=120)).date()
    report = json.loads(run("cost", "--by", "team", "--from", since.isoformat(), "--to", "2026-12-01", "--format", "json"))

    finished = [(plan, end) for plan in visible(account.plans) if (end := end_of(plan))]
    costs = [cost_of(plan, end) for plan, end in finished]
    expected = sum((cost for cost in costs if cost is not None), Decimal(0))
    assert len(finished) > 1400
    assert Decimal(str(report["total"]["cost_usd"])).quantize(CENT, ROUND_HALF_EVEN) == expected.quantize(CENT, ROUND_HALF_EVEN)
    assert Decimal(str(sum(row["cost_usd"] for row in report["rows"]))).quantize(CENT) == expected.quantize(CENT)
    live_without_price = sum(
        1 for job in json.loads(run("jobs", "--status", "InProgress", "--format", "json")) if job["basis"] == "unpriced" and job["started"]
    )
    assert report["total"]["unpriced_jobs"] == sum(cost is None for cost in costs) + live_without_price


def test_each_job_costs_what_its_plan_says(account: server.Server) -> None:
    shown = {(job["name"], job["created"]): job for job in json.loads(run("jobs", "--format", "json"))}
    plans = visible(account.plans)
    assert len(shown) == len(plans)
    for plan in plans:
        job, end = shown[plan.name, plan.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")], end_of(plan)
        expected = cost_of(plan, end) if end else None
        if expected is None:
            assert job["cost_usd"] is None, plan.name
        else:
            assert abs(Decimal(str(job["cost_usd"])) - expected) < Decimal("0.000002"), plan.name


def test_every_way_of_asking_gives_the_same_total(account: server.Server) -> None:
    total = json.loads(run("cost", "--from", "2026-10-03", "--to", "2026-11-20", "--format", "json"))["total"]
    for by in (
        "project",
        "day",
        "month",
        "capacity",
        "status",
        "instance_type",
        "mode",
        "account,region",
        "team,project,model_type",
        "mode,day",
        "model_type,status",
    ):
        report = json.loads(run("cost", "--by", by, "--from", "2026-10-03", "--to", "2026-11-20", "--format", "json"))
        assert report["total"] == total
        assert sum(row["cost_usd"] or 0 for row in report["rows"]) == pytest.approx(total["cost_usd"], abs=1e-3)
        if not {"day", "month", "instance_type"} & set(by.split(",")):
            assert sum(row["jobs"] for row in report["rows"]) == total["jobs"]


def test_rebuilding_from_the_facts_changes_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run("cost", "--by", "team,day", "--format", "json", "--from", "2026-08-01")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # and it takes no AWS call
    run("rederive")
    assert run("cost", "--by", "team,day", "--format", "json", "--from", "2026-08-01") == before
    run("db", "check")


def test_doctor_finds_everything_well_and_then_names_what_was_taken_away(account: server.Server) -> None:
    def failing() -> list[dict[str, str]]:
        # The account's answers carry the real date, the test's clock does not: the clock is rightly found to be off.
        result = CliRunner().invoke(main, ["doctor", "--format", "json"])
        assert result.exit_code == 1
        return [check for check in json.loads(result.stdout) if not check["ok"] and not check["check"].startswith("clock")]

    assert failing() == []
    account.faults.deny("Search")
    (denied,) = failing()
    assert denied["check"].startswith("sagemaker:Search")
    assert "add sagemaker:Search" in denied["fix"]
    account.faults.clear()


def test_a_second_pass_and_time_going_by_keep_the_books_true(account: server.Server) -> None:
    account.calls.clear()
    run("collect", "--once")
    assert account.calls["Search"] <= 3
    run("db", "check")
