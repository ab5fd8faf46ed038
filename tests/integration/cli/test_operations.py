"""Operations from the terminal: what is stopped and what is not, exit codes, shapes, and what goes to which stream."""

import getpass
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from commands.operations import LOOKS_THAT_FAIL
from demo.books import Entry
from demo.plan import DEFAULT_ACCOUNT, JobPlan
from tests.descriptions import description
from tests.integration.actions.conftest import NAME, OTHER_ACCOUNT, OTHER_REGION, TWO_ACCOUNTS, Desk, Sit, running, sit, watch
from tests.integration.cli.console import Console
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW, lasting, plan
from tests.integration.derivations.test_keep import keep
from worker.judging import judge_scope

__all__ = ["sit", "watch"]

ROOT = Path(__file__).parents[3]
ARN = f"arn:aws:sagemaker:us-east-1:{DEFAULT_ACCOUNT}:training-job/{NAME}"
WHY = ("--reason", "hung since midnight")
CHILD, TUNER = "rc-fraud-hpo-001-1a2b3c4d", "rc-fraud-hpo"
STOP = {"job", "account", "region", "arn", "before", "after", "by", "reason", "audit_id", "work_lost_usd", "avoided_usd"}
AUDIT = {"id", "at", "by", "action", "target", "reason", "outcome", "before", "after"}
RUNAWAY = {
    "job", "account", "region", "team", "rule", "severity", "since", "evidence", "accruing_usd", "burn_usd_per_hour", "wasted_usd",
    "projected_usd", "advice", "acknowledged_until",
}  # fmt: skip


class Terminal(Console):
    """A desk, and a shell in a folder with settings for it."""

    def __init__(self, desk: Desk, settings: str) -> None:
        self.desk = desk
        Path("trainwatch.toml").write_text(f'[database]\nurl = "{desk.engine.url}"\n{settings}')

    def refused(self, *arguments: str) -> str:
        """Why a stop is refused: exit code 3, nothing on stdout, nobody asked, nothing changed."""
        before = self.desk.statuses()
        result = self.run("stop", *arguments)
        assert (result.exit_code, result.stdout) == (3, ""), result.output
        assert self.desk.asked() == 0
        assert self.desk.statuses() == before
        return result.stderr

    def judge(self) -> None:
        """Takes a look at everything, and judges it."""
        self.desk.collect("jobs", "metrics")
        judge_scope(self.desk.engine, self.desk.settings, 1, self.desk.clock.now())


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a shell over the account of a test, at the time of its clock."""
    monkeypatch.chdir(tmp_path)

    def opened(plans: Sequence[JobPlan] | None = None, settings: str = "", **sections: Any) -> Terminal:
        desk = sit(plans, **sections)
        monkeypatch.setattr("commands.operations.now", desk.clock.now)
        return Terminal(desk, settings)

    return opened


# Stop


def test_stop_stops_the_one_job_and_prints_what_the_contract_says_and_nothing_else(terminal: Open) -> None:
    shell = terminal()
    before = shell.desk.statuses()
    said = shell.json("stop", NAME, *WHY, "--yes")
    assert said.keys() >= STOP
    assert {name: said[name] for name in ("job", "account", "region", "arn", "before", "after", "by", "reason", "outcome")} == {
        "job": NAME, "account": DEFAULT_ACCOUNT, "region": "us-east-1", "arn": ARN, "before": "InProgress", "after": "Stopping",
        "by": getpass.getuser(), "reason": "hung since midnight", "outcome": "stopping",
    }  # fmt: skip
    row = shell.desk.audit()[0]
    assert (said["audit_id"], row.by, row.via, row.role) == (row.audit_id, getpass.getuser(), "shell", "admin")
    assert said["work_lost_usd"] > 4
    assert said["avoided_usd"] > 30
    assert {key[2] for key, status in shell.desk.statuses().items() if status != before[key]} == {NAME}
    assert shell.desk.asked() == 1


def test_without_yes_and_with_nobody_to_ask_nothing_is_stopped(terminal: Open) -> None:
    shell = terminal()
    said = shell.refused(NAME, *WHY)
    assert said.endswith("trainwatch: not confirmed: nobody can be asked here; add --yes\n")
    assert f"{NAME} (rc, ml.g5.2xlarge × 1): InProgress, running 2 h 58" in said
    assert "stopping loses $4." in said
    assert shell.desk.audit() == []


@pytest.mark.parametrize(("answer", "code", "status"), [("y", 0, "Stopping"), ("n", 3, "InProgress"), ("", 3, "InProgress")])
def test_at_a_terminal_it_asks_and_only_yes_is_yes(answer: str, code: int, status: str, terminal: Open) -> None:
    shell = terminal()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli", "stop", NAME, *WHY, "--format", "json"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    os.write(ours, f"{answer}\n".encode())
    out, error = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, shell.desk.status()) == (code, status), error
    assert "Stop 1 job?" in error
    assert (json.loads(out)["after"] if code == 0 else out) == ("Stopping" if code == 0 else "")
    assert code == 0 or "not confirmed: nothing was stopped" in error


def test_a_dry_run_says_what_would_be_and_asks_nothing_of_aws_and_writes_nothing(terminal: Open) -> None:
    shell = terminal()
    before = shell.desk.statuses()
    said = shell.json("stop", NAME, *WHY, "--dry-run")
    assert (said["job"], said["before"], said["after"], said["outcome"], said["audit_id"]) == (NAME, "InProgress", None, None, None)
    assert said["avoided_usd"] > 30
    assert shell.desk.aws.calls.total() == 0
    assert shell.desk.audit() == []
    assert shell.desk.statuses() == before
    assert "nothing was stopped: dry run" in shell.run("stop", NAME, *WHY, "--dry-run", "--yes").stdout
    assert shell.desk.aws.calls.total() == 0


def test_a_dry_run_that_would_be_refused_says_so_and_writes_nothing_either(terminal: Open) -> None:
    shell = terminal()
    for name in ("rc-fraud-ended", "nope"):
        shell.refused(name, *WHY, "--dry-run")
    assert shell.desk.audit() == []
    assert shell.desk.aws.calls.total() == 0


@pytest.mark.parametrize("what", [ARN, ARN.lower(), ARN.replace("training-job/rc", "training-job/RC")])
def test_an_arn_in_any_case_is_as_good_as_a_name(what: str, terminal: Open) -> None:
    shell = terminal()
    assert shell.json("stop", what, *WHY, "--yes")["job"] == NAME
    assert shell.desk.status() == "Stopping"


@pytest.mark.parametrize(
    "what",
    [ARN.replace(DEFAULT_ACCOUNT, "999999999999"), ARN.replace("us-east-1", "us-west-2"), ARN[:-1], f"{ARN}0", NAME.upper(), NAME[:-1]],
)
def test_what_is_nearly_the_job_is_not_the_job(what: str, terminal: Open) -> None:
    shell = terminal([running()])
    assert "there is no job" in shell.refused(what, *WHY, "--yes")
    row = shell.desk.audit()[0]
    assert (row.target, row.reason, row.after) == (what, "hung since midnight", {"refused": "not_found"})


def test_a_name_in_several_accounts_and_regions_is_refused_with_the_list_and_told_apart_by_it(terminal: Open) -> None:
    accounts = [{**account, "regions": ["us-east-1", OTHER_REGION]} for account in TWO_ACCOUNTS["accounts"]]
    shell = terminal([running(), running(account=OTHER_ACCOUNT), running(region=OTHER_REGION)], aws={"accounts": accounts})
    settings = Path("trainwatch.toml").read_text()
    Path("trainwatch.toml").write_text(
        f'{settings}[aws]\nregions = ["us-east-1", "{OTHER_REGION}"]\n[[aws.accounts]]\nid = "{DEFAULT_ACCOUNT}"\n[[aws.accounts]]\n'
        f'id = "{OTHER_ACCOUNT}"\nrole_arn = "arn:aws:iam::{OTHER_ACCOUNT}:role/reader"\n'
    )
    said = shell.refused(NAME, *WHY, "--yes")
    assert "3 jobs are named" in said
    for account, region in ((DEFAULT_ACCOUNT, "us-east-1"), (OTHER_ACCOUNT, "us-east-1"), (DEFAULT_ACCOUNT, OTHER_REGION)):
        assert f"--account {account} --region {region} --created 2026-11-20T09:00:00Z" in said
    assert "2 jobs are named" in shell.refused(NAME, *WHY, "--yes", "--region", "us-east-1")
    assert shell.json("stop", NAME, *WHY, "--yes", "--account", OTHER_ACCOUNT)["account"] == OTHER_ACCOUNT
    assert [shell.desk.status(), shell.desk.status(region=OTHER_REGION)] == ["InProgress", "InProgress"]
    assert shell.desk.status(account=OTHER_ACCOUNT) == "Stopping"


def test_a_name_that_was_used_again_is_told_apart_by_its_creation(terminal: Open) -> None:
    shell = terminal([plan(NAME, 30 * DAY, deleted_at=NOW - DAY), running()])
    keep(shell.desk.engine, [description(NAME, created=-720)], shell.desk.settings, observed=NOW - DAY)  # as it was before it was deleted
    assert "2 jobs are named" in shell.refused(NAME, *WHY, "--yes")
    assert shell.json("stop", NAME, *WHY, "--yes", "--created", "2026-11-20T09:00:00Z")["after"] == "Stopping"


def test_what_has_ended_is_refused_and_written_down(terminal: Open) -> None:
    shell = terminal()
    assert "rc-fraud-ended has already ended (Completed)" in shell.refused("rc-fraud-ended", *WHY, "--yes")
    row = shell.desk.audit()[0]
    assert (row.by, row.team, row.outcome) == (
        getpass.getuser(), "rc", "refused: rc-fraud-ended has already ended (Completed): there is nothing to stop",
    )  # fmt: skip


def test_one_of_several_that_may_not_be_stopped_stops_none(terminal: Open) -> None:
    shell = terminal()
    assert "already ended" in shell.refused(NAME, "rc-fraud-ended", *WHY, "--yes")
    assert "there is no job 'nope'" in shell.refused(NAME, "nope", *WHY, "--yes")


def test_several_names_are_a_list(terminal: Open) -> None:
    shell = terminal()
    names = [NAME, "nlp-llm-sft-20261120-100000"]
    said = shell.json("stop", *names, *WHY, "--yes")
    assert [(one["job"], one["team"], one["after"]) for one in said] == [(NAME, "rc", "Stopping"), (names[1], "nlp", "Stopping")]
    assert shell.desk.asked() == 2
    again = shell.csv("stop", *names, *WHY, "--yes")
    assert [(one["job"], one["outcome"]) for one in again] == [(name, "already_stopping") for name in names]
    assert shell.desk.asked() == 2


def test_more_than_settings_allow_at_once_are_refused(terminal: Open) -> None:
    names = [f"rc-fraud-{number}" for number in range(4)]
    shell = terminal([running(name) for name in names], "[actions]\nmax_jobs = 3\n")
    assert "4 jobs are more than one action may stop: [actions] max_jobs is 3" in shell.refused(*names, *WHY, "--yes")
    assert len(shell.json("stop", *names[:3], *WHY, "--yes")) == 3


def test_a_blank_reason_is_none_and_no_reason_is_wrong_usage(terminal: Open) -> None:
    shell = terminal()
    assert "a reason is required" in shell.refused(NAME, "--reason", " \n", "--yes")
    for arguments in ((NAME, "--yes"), (*WHY, "--yes"), (NAME, *WHY, "--yes", "--format", "xml")):
        result = shell.run("stop", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
    assert shell.desk.asked() == 0


def test_what_aws_refuses_ends_with_1_and_one_line_that_says_what_to_do(terminal: Open) -> None:
    shell = terminal()
    shell.desk.aws.faults.deny("StopTrainingJob")
    result = shell.run("stop", NAME, *WHY, "--yes", "--format", "json")
    assert result.exit_code == 1
    assert result.stderr == (
        f"trainwatch: {NAME}: {DEFAULT_ACCOUNT} · us-east-1: sagemaker:StopTrainingJob is denied: "
        f"add sagemaker:StopTrainingJob to arn:aws:iam::{DEFAULT_ACCOUNT}:user/demo\n"
    )
    assert (json.loads(result.stdout)["outcome"], json.loads(result.stdout)["after"]) == ("failed", "InProgress")
    shell.desk.aws.faults.clear()
    assert shell.json("stop", NAME, *WHY, "--yes")["outcome"] == "stopping"


def test_what_the_action_itself_refuses_ends_with_3(terminal: Open) -> None:
    shell = terminal()
    shell.desk.aws.faults.expire_credentials()
    result = shell.run("stop", NAME, *WHY, "--yes", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["outcome"]) == (3, "refused")
    assert "run 'aws sso login'" in result.stderr
    assert shell.desk.status() == "InProgress"


def test_a_job_that_ended_meanwhile_is_done(terminal: Open) -> None:
    shell = terminal([running(phases=lasting(3))])
    shell.desk.clock.advance(HOUR)
    said = shell.json("stop", NAME, *WHY, "--yes")
    assert (said["outcome"], said["after"]) == ("already_ended", "Completed")
    assert shell.desk.asked() == 0


def test_with_wait_it_follows_the_job_until_it_has_stopped(terminal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = terminal([running(stop_takes_seconds=300), running("rc-fraud-b", stop_takes_seconds=600)])
    monkeypatch.setattr("commands.operations.POLL_SECONDS", 0.01)
    shell.desk.before("DescribeTrainingJob", lambda _: shell.desk.clock.advance(MINUTE))
    result = shell.run("stop", NAME, "rc-fraud-b", *WHY, "--yes", "--wait", "--format", "json")
    assert result.exit_code == 0
    assert [one["after"] for one in json.loads(result.stdout)] == ["Stopped", "Stopped"]
    assert f"{NAME}: Stopping\n" in result.stderr
    assert result.stderr.index(f"{NAME}: Stopped\n") < result.stderr.index("rc-fraud-b: Stopped\n")


def test_with_wait_it_gives_up_on_what_it_cannot_look_at_and_says_so(terminal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = terminal([running(stop_takes_seconds=300)])
    monkeypatch.setattr("commands.operations.POLL_SECONDS", 0.01)
    shell.desk.before("StopTrainingJob", lambda _: shell.desk.aws.faults.deny("DescribeTrainingJob"))
    result = shell.run("stop", NAME, *WHY, "--yes", "--wait", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["after"], shell.desk.status()) == (1, None, "Stopping")
    assert result.stderr.count("sagemaker:DescribeTrainingJob is denied") == LOOKS_THAT_FAIL
    assert "whether it has stopped could not be seen" in result.stderr


def test_text_that_a_spreadsheet_would_take_for_a_formula_is_text(terminal: Open) -> None:
    shell = terminal()
    (row,) = shell.csv("stop", NAME, "--reason", "=cmd|'/c calc'!A0", "--yes")
    assert row["reason"] == "'=cmd|'/c calc'!A0"
    (row,) = shell.csv("audit")
    assert row["reason"] == "'=cmd|'/c calc'!A0"
    assert shell.json("audit")[0]["reason"] == "=cmd|'/c calc'!A0"


def test_text_that_a_terminal_would_take_for_orders_is_text(terminal: Open) -> None:
    shell = terminal()
    shell.run("stop", "[red]\x1b[31mx", "--reason", "\x1b]0;owned\x07[bold]", "--yes")
    table = shell.run("audit").stdout
    assert "\x1b" not in table
    assert "[red]" in table
    assert "[bold]" in table


def test_who_has_a_number_and_no_name_is_told_by_it(terminal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nobody)
    shell = terminal()
    assert shell.json("stop", NAME, *WHY, "--yes")["by"] == f"uid {os.getuid()}"


# Tuning jobs


def _searching(*more: JobPlan) -> list[JobPlan]:
    return [running(CHILD, HOUR, tuning_job=TUNER), running(f"{TUNER}-002-1a2b3c4d", HOUR, tuning_job=TUNER), running(), *more]


def test_a_child_is_refused_with_the_command_that_stops_its_tuning_job(terminal: Open) -> None:
    shell = terminal(_searching())
    assert f"trainwatch stop --tuning {TUNER}" in shell.refused(CHILD, *WHY, "--yes")


@pytest.mark.parametrize("what", [TUNER, f"arn:aws:sagemaker:us-east-1:{DEFAULT_ACCOUNT}:hyper-parameter-tuning-job/{TUNER}"])
def test_a_tuning_job_is_stopped_by_name_or_arn(what: str, terminal: Open) -> None:
    shell = terminal(_searching())
    said = shell.json("stop", "--tuning", what, *WHY, "--yes")
    assert (said["job"], said["after"]) == (TUNER, "Stopping")
    assert said["consequences"] == [f"tuning job {TUNER} stops all of its running jobs and launches no more; its best result so far stays"]
    assert (shell.desk.aws.calls["StopHyperParameterTuningJob"], shell.desk.aws.calls["StopTrainingJob"]) == (1, 0)
    assert shell.desk.status() == "InProgress"


def test_a_job_is_no_tuning_job_and_a_tuning_job_no_job(terminal: Open) -> None:
    shell = terminal(_searching())
    assert "there is no job" in shell.refused("--tuning", NAME, *WHY, "--yes")
    assert "there is no job" in shell.refused(TUNER, *WHY, "--yes")


def test_a_tuning_job_whose_name_was_used_again_is_told_apart_by_its_creation(terminal: Open) -> None:
    shell = terminal([plan(CHILD, 30 * HOUR, tuning_job=TUNER)])
    old: Entry = shell.desk.entry(CHILD)
    old.deleted_at = NOW
    shell.desk.aws._books.shard(DEFAULT_ACCOUNT, "us-east-1")._entries.remove(old)
    shell.desk.clock.advance(MINUTE)
    shell.desk.aws.add(running(CHILD, -MINUTE, tuning_job=TUNER))
    shell.desk.clock.advance(MINUTE)
    shell.desk.collect()
    said = shell.refused("--tuning", TUNER, *WHY, "--yes")
    assert "2 jobs are named" in said
    assert "--created 2026-11-20T12:01:00Z (InProgress)" in said
    assert shell.json("stop", "--tuning", TUNER, *WHY, "--yes", "--created", "2026-11-20T12:01:00Z")["after"] == "Stopping"


def test_tuning_lists_searches_in_every_form(terminal: Open) -> None:
    shell = terminal(_searching())
    (row,) = shell.json("tuning")
    assert (row["name"], row["team"], row["status"], row["jobs"], row["running"]) == (TUNER, "rc", "InProgress", 2, 2)
    assert row["accruing_usd"] > 0
    assert {child["job"] for child in row["children"]} == {CHILD, f"{TUNER}-002-1a2b3c4d"}
    assert shell.json("tuning", "--team", "nlp") == []
    assert [one["name"] for one in shell.csv("tuning", "--team", "rc")] == [TUNER]
    assert TUNER in shell.run("tuning").stdout


# What runs away, and who did what


def test_runaway_has_the_shape_of_the_contract_and_is_filtered_by_team(terminal: Open) -> None:
    shell = terminal([running(created=5 * HOUR, behaviour="idle"), running("nlp-llm-sft-20261120-070000", 5 * HOUR, tags={"Team": "nlp"})])
    shell.judge()
    (row,) = shell.json("runaway")
    assert row.keys() >= RUNAWAY
    assert (row["job"], row["rule"], row["severity"], row["team"], row["acknowledged_until"]) == (NAME, "idle_gpu", "critical", "rc", None)
    assert row["since"].endswith("Z")
    assert row["burn_usd_per_hour"] == 1.515
    assert row["projected_usd"] > row["accruing_usd"] > row["wasted_usd"] > 0
    assert shell.json("runaway", "--team", "nlp") == []
    assert [one["job"] for one in shell.csv("runaway", "--team", "rc")] == [NAME]
    table = shell.run("runaway")
    assert NAME in table.stdout
    assert "money is an estimate at list price" in table.stdout


def test_runaway_says_on_stderr_of_which_jobs_there_is_no_verdict(terminal: Open) -> None:
    shell = terminal([running(created=5 * HOUR, behaviour="silent")])
    shell.judge()
    result = shell.run("runaway", "--format", "json")
    assert json.loads(result.stdout) == []
    assert f": CloudWatch has no samples of it (1 jobs, such as {NAME})" in result.stderr
    assert "no verdict (hung, idle_gpu, slow_gpu" in result.stderr


def test_audit_has_the_shape_of_the_contract_newest_first_with_refusals(terminal: Open) -> None:
    shell = terminal()
    shell.refused("rc-fraud-ended", *WHY, "--yes")
    shell.json("stop", NAME, *WHY, "--yes")
    newest, oldest = shell.json("audit")
    assert newest.keys() >= AUDIT
    assert (newest["action"], newest["target"], newest["reason"]) == ("stop", ARN, "hung since midnight")
    assert (newest["outcome"], newest["at"]) == ("stopping: AWS was asked and stops it", "2026-11-20T12:00:00Z")
    assert (newest["before"]["status"], newest["after"]["status"]) == ("InProgress", "Stopping")
    assert oldest["outcome"].startswith("refused: ")
    assert oldest["before"] is None
    assert [one["id"] for one in shell.json("audit", "--limit", "1")] == [newest["id"]]
    assert [one["id"] for one in shell.json("audit", "--search", "fraud-ENDED")] == [oldest["id"]]
    assert [one["id"] for one in shell.csv("audit")] == [str(newest["id"]), str(oldest["id"])]
    assert "hung since midnight" in shell.run("audit").stdout


@pytest.mark.parametrize("command", [("runaway",), ("tuning",), ("audit",)])
def test_before_there_is_a_database_lists_are_empty_and_say_how_to_fill_them(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, [*command, "--format", "json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert ("`trainwatch collect --once` asks AWS for them" in result.stderr) is (command != ("audit",))


def test_before_there_is_a_database_a_stop_is_refused_and_says_how_to_fill_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.main, ["stop", NAME, *WHY, "--yes"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "`trainwatch collect --once` asks AWS for them" in result.stderr
    assert f"there is no job '{NAME}' in the books" in result.stderr
