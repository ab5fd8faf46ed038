"""The command line on a small database: shapes, exit codes, and what goes to which stream."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from domain.scope import Scope
from storage.engine import open_engine
from tests.databases import migrated
from tests.descriptions import SCOPE, at, description
from tests.integration.derivations.test_keep import TEAMS, keep

Run = Callable[..., Result]
SETTINGS = """
[conventions]
company = "acme"
[[teams]]
id = "rc"
projects = ["fraud", "credit"]
[[teams]]
id = "nlp"
projects = ["llm"]
"""
HOSTILE = "=cmd|'x'!A0[red]<script>"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against a small database of two accounts."""
    (tmp_path / "trainwatch.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.now", lambda: at(24))
    engine = migrated("sqlite:///var/trainwatch.db")
    keep(
        engine,
        [description(), description("nlp-llm-sft-20261120-120000", created=1, ran=None, spot_share=1)],
        TEAMS,
        observed=at(4),
    )
    keep(
        engine,
        [description("rc-credit-x-20261120-130000", created=1, instance_type="ml.p9.48xlarge", tags={"note": HOSTILE})],
        TEAMS,
    )
    keep(engine, [description()], TEAMS, Scope("210987654321", "us-east-1", "other"))
    engine.dispose()
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_cost_has_the_shape_of_the_contract(run: Run) -> None:
    report = json.loads(run("cost", "--by", "team", "--format", "json").stdout)
    assert {name: report[name] for name in ("from", "to", "by", "currency")} == {
        "from": "2026-11-01",
        "to": "2026-12-01",
        "by": ["team"],
        "currency": "USD",
    }
    nlp, rc = report["rows"]  # the dearest first, whether billed or accruing
    assert list(rc) == [
        "team", "jobs", "instance_hours", "compute_usd", "warm_pool_usd", "storage_usd", "cost_usd", "accruing_usd", "spot_savings_usd",
        "plan_covered_usd", "effective_usd", "unpriced_jobs",
    ]  # fmt: skip
    assert (rc["team"], rc["jobs"], rc["cost_usd"], rc["unpriced_jobs"], rc["instance_hours"]) == ("rc", 3, 3.03, 1, 3.0)
    assert (nlp["team"], nlp["cost_usd"], nlp["accruing_usd"]) == ("nlp", 0.0, 4.3935)


def test_a_row_of_which_no_job_has_a_price_has_no_money_rather_than_none(run: Run) -> None:
    rows = json.loads(run("cost", "--by", "instance_type", "--format", "json").stdout)["rows"]
    (unpriced,) = [row for row in rows if row["instance_type"] == "ml.p9.48xlarge"]
    assert (unpriced["cost_usd"], unpriced["jobs"], unpriced["instance_hours"]) == (None, 1, 1.0)


def test_the_from_day_is_inclusive_and_the_to_day_is_not(run: Run) -> None:
    assert json.loads(run("cost", "--from", "2026-11-20", "--to", "2026-11-21", "--format", "json").stdout)["total"]["jobs"] == 4
    assert json.loads(run("cost", "--from", "2026-11-19", "--to", "2026-11-20", "--format", "json").stdout)["total"]["jobs"] == 0


def test_jobs_have_the_shape_of_the_contract(run: Run) -> None:
    jobs = json.loads(run("jobs", "--format", "json").stdout)
    live = next(job for job in jobs if job["status"] == "InProgress")
    assert (live["cost_usd"], live["basis"], live["burn_usd_per_hour"], live["attributed_by"]) == (
        None,
        "accruing",
        1.515,
        "name",
    )
    ended = next(job for job in jobs if job["team"] == "rc" and job["basis"] == "final")
    assert (ended["cost_usd"], ended["accruing_usd"], ended["burn_usd_per_hour"], ended["spot_savings_usd"]) == (
        1.515,
        None,
        None,
        None,
    )
    assert ended["instances"] == [{"instance_type": "ml.g5.2xlarge", "count": 1}]
    assert ended["created"] == "2026-11-20T12:00:00Z"


def test_jobs_are_filtered(run: Run) -> None:
    def names(*arguments: str) -> set[str]:
        return {job["name"][:9] for job in json.loads(run("jobs", "--format", "json", *arguments).stdout)}

    assert names("--team", "nlp") == {"nlp-llm-s"}
    assert names("--capacity", "spot") == {"nlp-llm-s"}
    assert names("--status", "Completed", "--project", "credit") == {"rc-credit"}
    assert names("--since", "2026-11-21") == set()
    assert names("--name", "CREDIT") == {"rc-credit"}


def test_a_name_that_fits_several_jobs_is_refused_with_the_list(run: Run) -> None:
    name = "rc-fraud-xgboost-20261120-120000"
    result = run("job", name)
    assert result.exit_code == 1
    assert "--account 123456789012" in result.stderr
    assert "--account 210987654321" in result.stderr
    assert json.loads(run("job", name, "--account", SCOPE.account, "--format", "json").stdout)["account"] == SCOPE.account


def test_a_job_that_is_not_there_fails_with_one_line(run: Run) -> None:
    result = run("job", "nope")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_csv_is_neutralised_and_alone_on_stdout(run: Run) -> None:
    keep(open_engine("sqlite:///var/trainwatch.db"), [description("=1+1", tags={"Team": "@x", "Project": "-y"})], TEAMS)
    rows = list(csv.DictReader(io.StringIO(run("jobs", "--format", "csv").stdout)))
    hostile = next(row for row in rows if "1+1" in row["name"])
    assert (hostile["name"], hostile["team"], hostile["project"]) == ("'=1+1", "'@x", "'-y")


def test_tables_show_text_as_text(run: Run) -> None:
    keep(open_engine("sqlite:///var/trainwatch.db"), [description("x[bold]y\x1b[31m")], TEAMS)
    table = run("jobs").stdout
    assert "x[bold]y" in table
    assert "\x1b[31m" not in table


@pytest.mark.parametrize(
    "arguments",
    [
        ("cost", "--by", "colour"),
        ("cost", "--from", "yesterday"),
        ("cost", "--from", "2026-11-05", "--to", "2026-11-01"),
        ("jobs", "--format", "xml"),
        ("nonsense",),
        ("collect", "--once", "--only", "weather"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_wrong_settings_end_with_2_and_name_file_line_and_key(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trainwatch.toml").write_text("[collect]\njobs_secnds = 3\n")
    result = run("cost")
    assert result.exit_code == 2
    assert "trainwatch.toml:2: collect.jobs_secnds: unknown key" in result.stderr


def test_a_database_of_a_newer_release_is_refused_by_every_command(run: Run, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "var" / "trainwatch.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("cost",), ("jobs",), ("rederive",), ("collect", "--once"), ("serve",), ("db", "upgrade")):
        result = run(*command)
        assert (result.exit_code, "newer release" in result.stderr) == (1, True), command


def test_missing_credentials_are_one_line_that_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    result = run("collect", "--once")
    assert result.exit_code == 1
    assert "no AWS credentials found" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_empty_database_says_what_to_do_and_gives_an_empty_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, ["jobs", "--format", "json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "trainwatch collect --once" in result.stderr


def test_backup_check_and_rederive_work_on_a_real_file(run: Run, tmp_path: Path) -> None:
    assert run("rederive").exit_code == 0
    assert run("db", "check").exit_code == 0
    assert run("db", "backup", "copy.db").exit_code == 0
    assert (tmp_path / "copy.db").exists()
    assert run("db", "backup", "copy.db").exit_code == 1


def test_doctor_names_what_fails_and_the_fix(run: Run) -> None:
    result = run("doctor", "--format", "json")
    checks = {check["check"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert checks["database"]["ok"]
    assert not checks["credentials"]["ok"]
    assert checks["credentials"]["fix"]
