"""Cleaning from the terminal, all the way: what is printed in which shape, exit codes, and what S3 holds afterwards."""

import getpass
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.buckets import BucketState
from storage.engine import reading
from storage.views.audit import audit_rows
from tests.integration.actions.yard import BUCKET, Yard, jobs, yard
from tests.integration.cli.console import Console
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, MINUTE

__all__ = ["watch"]

SETTINGS = """
[database]
url = "{url}"

[conventions]
company = "acme"

[[teams]]
id = "rc"
projects = ["fraud", "credit"]

[clean]
max_objects = {most}
"""
PLAN = {"plan_id", "created", "items", "kept", "total"}
ITEM = {"bucket", "prefix", "job", "account", "region", "kind", "objects", "bytes", "usd_per_month", "why"}
APPLY = {"plan_id", "deleted_objects", "deleted_bytes", "skipped", "failed", "audit_id"}
VERSIONED = {BUCKET: BucketState(versioning="enabled")}


class Shell(Console):
    """A terminal in a folder with settings for the account of a test."""

    words = ("clean",)

    def __init__(self, ours: Yard) -> None:
        self.ours = ours

    def refused(self, *arguments: str) -> str:
        """Why it is refused: exit code 3, nothing on stdout, nothing changed."""
        before = self.ours.keys()
        result = self.run(*arguments)
        assert (result.exit_code, result.stdout) == (3, ""), result.output
        assert self.ours.keys() == before
        return result.stderr

    def fails(self, *arguments: str) -> str:
        """What a command that fails says."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        return result.stderr


Open = Callable[..., Shell]


@pytest.fixture
def shell(watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a terminal over an account with leftovers, at the time of its clock."""
    monkeypatch.chdir(tmp_path)

    def opened(states: Mapping[str, BucketState] | None = None, most: int = 1_000_000) -> Shell:
        ours = yard(watch, jobs(), states=states)
        Path("trainwatch.toml").write_text(SETTINGS.format(url=ours.engine.url, most=most))
        monkeypatch.setattr("commands.cleaning.now", ours.account.now)
        return Shell(ours)

    return opened


def _keys(said: Mapping[str, Any]) -> set[str]:
    return {one["prefix"] for one in said["items"]}


def test_a_plan_is_printed_as_the_contract_says_and_changes_nothing(shell: Open) -> None:
    found = shell()
    before = found.ours.keys()
    said = found.json("plan")
    assert found.ours.keys() == before
    assert said.keys() >= PLAN
    assert all(one.keys() >= ITEM for one in said["items"])
    assert {one["job"] for one in said["items"]} == {"rc-fraud-1"}
    assert {one.keys() == {"bucket", "prefix", "job", "why"} for one in said["kept"]} == {True}
    why = {one["prefix"]: one["why"] for one in said["kept"]}
    assert "rc-fraud-10" in why["models/training/rc-fraud-10/"]
    assert said["total"].keys() == {"objects", "bytes", "usd_per_month"}
    assert said["total"]["objects"] == sum(one["objects"] for one in said["items"])
    assert said["total"]["bytes"] == sum(one["bytes"] for one in said["items"])
    assert (said["by"], said["state"], said["since"]) == (getpass.getuser(), "planned", None)


def test_an_older_age_keeps_more_and_a_younger_one_changes_nothing(shell: Open) -> None:
    found = shell()
    assert _keys(found.json("plan", "--older-than", "400d")) == set()
    assert found.json("plan", "--older-than", "1d")["min_age_days"] == 14
    assert found.run("plan", "--older-than", "soon").exit_code == 2


def test_show_names_every_object_that_would_go(shell: Open) -> None:
    found = shell()
    said = found.json("plan")
    plan_id = str(said["plan_id"])
    assert found.json("show", plan_id)["items"] == said["items"]
    objects = found.json("show", plan_id, "--objects")
    assert len(objects) == said["total"]["objects"]
    assert {one["state"] for one in objects} == {"planned"}
    assert [row["key"] for row in found.csv("show", plan_id, "--objects")] == [one["key"] for one in objects]
    assert {one["prefix"] for one in said["items"]} == {row["prefix"] for row in found.csv("show", plan_id)}
    assert "what may go" in found.run("show", plan_id).output
    assert "there is no plan 99" in found.fails("show", "99")


def test_apply_deletes_what_the_plan_lists_and_undo_brings_it_back(shell: Open) -> None:
    found = shell(VERSIONED)
    before = found.ours.keys()
    plan_id = str(found.json("plan")["plan_id"])
    objects = found.json("show", plan_id, "--objects")
    planned = {one["key"] for one in objects} & set(before)
    dry = found.json("apply", plan_id, "--dry-run")
    assert (dry["dry_run"], dry["audit_id"], found.ours.keys()) == (True, None, before)
    said = found.json("apply", plan_id, "--yes")
    assert said.keys() >= APPLY
    assert (said["deleted_objects"], said["skipped"], said["failed"]) == (len(objects), [], [])
    assert said["deleted_bytes"] == sum(one["bytes"] for one in objects) == dry["deleted_bytes"]
    assert set(before) - set(found.ours.keys()) == planned
    with reading(found.ours.engine) as connection:
        row = audit_rows(connection)[0]
    assert (said["audit_id"], row.by, row.via) == (row.audit_id, getpass.getuser(), "shell")
    assert found.json("show", plan_id)["state"] == "applied"
    result = found.run("undo", plan_id)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith(f"{len(planned)} restored")
    assert found.ours.keys() == before
    assert "undone already" in found.refused("apply", plan_id, "--yes")


def test_without_yes_and_with_nobody_to_ask_nothing_is_deleted(shell: Open) -> None:
    found = shell()
    plan_id = str(found.json("plan")["plan_id"])
    said = found.refused("apply", plan_id)
    assert said.endswith("trainwatch: not confirmed: nobody can be asked here; add --yes\n")
    assert "versioning: off" in said
    assert "brought back" in said
    with reading(found.ours.engine) as connection:
        assert audit_rows(connection) == []


def test_what_may_not_be_is_refused_with_the_reason(shell: Open) -> None:
    found = shell(most=2)
    plan_id = str(found.json("plan")["plan_id"])
    assert "max_objects" in found.refused("apply", plan_id, "--yes")
    assert "there is no plan 99" in found.refused("apply", "99", "--yes")
    assert "never applied" in found.refused("undo", plan_id)
    found.ours.account.clock.advance(DAY + MINUTE)
    assert "older than a day" in found.refused("apply", plan_id, "--yes")


def test_what_s3_refuses_is_an_error_that_says_how_to_go_on(shell: Open) -> None:
    found = shell()
    plan_id = str(found.json("plan")["plan_id"])
    found.ours.account.aws.faults.throttle("DeleteObjects")
    said = found.fails("apply", plan_id, "--yes")
    assert "are left: " in said
    assert said.endswith("apply the plan again to go on\n")
    assert "next run" not in said
    found.ours.account.aws.faults.clear()
    assert found.json("apply", plan_id, "--yes")["left_objects"] == 0


def test_the_next_plan_says_what_is_different_and_why(shell: Open) -> None:
    found = shell(VERSIONED)
    first = found.json("plan")
    assert found.json("plan")["since"] == {"plan_id": first["plan_id"], "changes": []}
    latest = found.json("plan")["plan_id"]
    found.json("apply", str(latest), "--yes")
    made = found.json("plan")
    said = made["since"]
    assert said["plan_id"] == latest
    assert {(one["what"], one["why"]) for one in said["changes"]} == {("gone", f"plan {latest} was applied")}
    assert sum(one["objects"] for one in said["changes"]) == -first["total"]["objects"]
    assert f"what is different since plan {latest}" in found.run("show", str(made["plan_id"])).output


def test_a_quarantine_tags_and_its_undo_takes_the_tags_off(shell: Open) -> None:
    found = shell()
    before, s3 = found.ours.keys(), found.ours.account.clients().s3
    said = found.json("plan", "--quarantine")
    keys = [one["key"] for one in found.json("show", str(said["plan_id"]), "--objects") if one["key"] in before]

    def tags() -> set[tuple[str, str]]:
        return {(tag["Key"], tag["Value"]) for key in keys for tag in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}

    found.json("apply", str(said["plan_id"]), "--yes")
    assert tags() == {("trainwatch", "expire")}
    assert found.ours.keys() == before
    assert found.run("undo", str(said["plan_id"])).exit_code == 0
    assert tags() == set()


def test_a_terminal_is_told_how_far_it_is_and_a_log_is_not(shell: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shell()
    plan_id = str(found.json("plan")["plan_id"])
    assert " of " not in found.run("apply", plan_id, "--dry-run").stderr
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    total = len(found.json("show", plan_id, "--objects"))
    said = found.run("apply", plan_id, "--yes").stderr
    assert said.splitlines()[-1] == f"{total} of {total}"
    assert said.endswith("\n")
