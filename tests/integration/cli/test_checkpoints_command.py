"""`trainwatch checkpoints`: its shape is a contract, and what is not known is null."""

from dataclasses import replace

from demo.buckets import DENIED
from demo.plan import Checkpoints, JobPlan
from tests.integration.actions.conftest import sit, watch
from tests.integration.cli.test_operations import Open, terminal
from tests.integration.collectors.watching import HOUR, lasting, plan

__all__ = ["sit", "terminal", "watch"]

TEAM = {"team", "spot_jobs", "covered_jobs", "coverage_percent", "spot_cost_usd", "covered_cost_usd", "work_at_risk_usd"}
JOB = {"job", "team", "state", "uri", "objects", "bytes", "last_written", "work_at_risk_seconds", "work_at_risk_usd", "shared_with"}


def live(name: str, uri: str | None) -> JobPlan:
    made = plan(name, 3 * HOUR, phases=lasting(20))
    return replace(made, spot=True, billable_share=0.3, checkpoints=None if uri is None else Checkpoints(uri))


def test_it_prints_what_the_contract_says_with_the_unknown_as_null(terminal: Open) -> None:
    shell = terminal(
        [
            live("rc-fraud-saving", "s3://acme-sm-rc-fraud/checkpoints/rc-fraud-saving/"),
            live("rc-fraud-hidden", f"s3://{DENIED}/checkpoints/rc-fraud-hidden/"),
            live("rc-fraud-bare", None),
        ]
    )
    shell.desk.account.run("checkpoints")
    said = shell.json("checkpoints")
    assert said.keys() == {"teams", "jobs"}
    assert all(one.keys() >= TEAM for one in said["teams"])
    assert all(one.keys() >= JOB for one in said["jobs"])
    by_name = {one["job"]: one for one in said["jobs"]}
    assert {name: one["state"] for name, one in by_name.items()} == {
        "rc-fraud-saving": "fresh", "rc-fraud-hidden": "unknown", "rc-fraud-bare": "not_configured",
    }  # fmt: skip
    hidden = by_name["rc-fraud-hidden"]
    assert (hidden["objects"], hidden["bytes"], hidden["last_written"], hidden["work_at_risk_usd"]) == (None, None, None, None)
    assert "denied" in hidden["problem"]
    assert by_name["rc-fraud-bare"]["work_at_risk_seconds"] > 2 * 3600
    assert 0 < by_name["rc-fraud-saving"]["work_at_risk_seconds"] <= 1200
    assert by_name["rc-fraud-saving"]["shared_with"] == []
    (team,) = said["teams"]
    assert (team["team"], team["spot_jobs"], team["covered_jobs"]) == ("rc", 3, 1)
    assert [row["job"] for row in shell.csv("checkpoints")] == [one["job"] for one in said["jobs"]]
    assert shell.json("checkpoints", "--team", "nlp") == {"teams": [], "jobs": []}
    assert "3 live jobs" in shell.run("checkpoints").output
