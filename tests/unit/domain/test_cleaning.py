"""What may be thrown away, and what never: every rule by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.access import Refusal
from domain.cleaning import (
    CleanFacts,
    CleanJob,
    keep_reason,
    parse_bytes,
    plan_clean,
    within_limits,
)
from domain.leftovers import Kind
from domain.s3 import Location
from tests.unit.domain.cleaning_facts import AGE, DAY, HERE, HOUR, NOW, THERE, bucket, item_of, job, known, left, live, why_kept

# What may go


@pytest.mark.parametrize("kind", ["intermediates", "debugger", "profiler", "tensorboard", "uploads"])
def test_what_an_old_job_left_under_its_own_name_may_go(kind: Kind) -> None:
    item = item_of(known(job(), leftovers=(left(kind=kind),)))
    assert (item.prefix, item.kind, item.job, item.team, item.objects, item.bytes) == (
        "models/training/job-1/",
        kind,
        "job-1",
        "rc",
        3,
        300,
    )
    assert item.owners == (("arn:aws:sagemaker:us-east-1:111111111111:training-job/job-1", int((NOW - 60 * DAY).timestamp())),)
    assert "job job-1 (Completed on 2026-10-01)" in item.why


def test_models_never_go_whatever_they_are_called() -> None:
    assert "never go" in why_kept(known(job(), leftovers=(left(kind="artifacts"),)))


def test_a_prefix_without_a_slash_at_its_end_is_planned_with_one() -> None:
    item = item_of(known(job(), leftovers=(left("models/training/job-1"),)))
    assert item.prefix == "models/training/job-1/"
    assert keep_reason("b", "models/training/job-10/x", NOW - 50 * DAY, known(job()), AGE, NOW, item)


@pytest.mark.parametrize(
    ("versioning", "words"),
    [
        ("enabled", "can be undone while"),
        ("suspended", "cannot be undone: the bucket's versioning is suspended"),
        ("off", "cannot be undone: the bucket keeps no versions"),
        ("unknown", "nobody could tell whether it can be undone"),
    ],
)
def test_the_plan_says_whether_it_can_be_undone(versioning: Any, words: str) -> None:
    item = item_of(known(job(), buckets={"b": bucket(versioning=versioning)}))
    assert words in item.why
    assert item.versioning == versioning


def test_an_upload_that_is_aborted_cannot_be_brought_back_and_the_plan_says_so() -> None:
    uploads = left(kind="uploads")
    assert "cannot be undone" in item_of(known(job(), leftovers=(uploads,), buckets={"b": bucket(versioning="enabled")})).why


def test_uploads_below_checkpoints_belong_to_whom_the_checkpoints_do() -> None:
    uploads = left("ckpt/run/", "uploads", "")
    owner = job(checkpoints=Location("b", "ckpt/run"))
    assert item_of(known(owner, leftovers=(uploads,))).owners == (owner.identity,)


# Age


def test_age_counts_from_the_job_s_end() -> None:
    assert item_of(known(job(ended=AGE)))
    assert "job job-1 ended (Completed) on 2026-11-06, less than 14 days ago" in why_kept(known(job(ended=AGE - 0.01)))


def test_age_counts_from_the_newest_object_where_that_is_later() -> None:
    assert "its newest object was written on" in why_kept(known(job(), leftovers=(left(newest_at=NOW - 13 * DAY),)))


def test_a_single_object_that_is_younger_stays() -> None:
    facts = known(job())
    (item,) = plan_clean(facts, AGE, NOW).items
    assert "it was written on" in (keep_reason("b", f"{item.prefix}x", NOW - 13 * DAY, facts, AGE, NOW, item) or "")


def test_a_higher_age_can_be_asked_for() -> None:
    assert "less than 51 days ago" in why_kept(known(job()), days=51)


@pytest.mark.parametrize("days", [0, -1])
def test_an_age_below_a_day_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        plan_clean(known(job()), days, NOW)


def test_an_age_beyond_all_calendars_keeps_everything() -> None:
    assert why_kept(known(job()), days=10**12)


def test_a_job_whose_end_nobody_knows_keeps_what_it_left_and_points_at() -> None:
    assert "nobody knows when job job-1 ended" in why_kept(known(job(ended=None)))
    other = job("other", ended=None, points_at=(Location("b", "models/training/job-1/"),))
    assert "nobody knows when job other ended, and points at" in why_kept(known(job(), other))


def test_what_holds_nothing_or_nobody_knows_how_old_stays() -> None:
    assert "nothing was found" in why_kept(known(job(), leftovers=(left(objects=0, newest_at=None),)))
    assert "how old" in why_kept(known(job(), leftovers=(left(newest_at=None),)))


# Models


def test_the_artifact_prefix_of_a_bucket_never_goes() -> None:
    prefix = "models/artifacts/job-1/debug-output/"
    assert "models lie under models/artifacts" in why_kept(
        known(job(), leftovers=(left(prefix, "debugger"),), artifact_prefix="models/artifacts")
    )


def test_a_job_s_own_model_never_goes_wherever_it_lies() -> None:
    assert "the model of job other lies there" in why_kept(
        known(job(), job("other", artifact=Location("b", "models/training/job-1/output/model.tar.gz")))
    )


@pytest.mark.parametrize("key", ["models/training/job-1/sub/m.tar.gz", "models/training/job-1", "models/training/", "models/tr", ""])
def test_what_a_model_refers_to_never_goes_nor_what_holds_or_lies_in_it(key: str) -> None:
    assert "model fraud refers to s3://b/" in why_kept(known(job(), references={Location("b", key): "model fraud"}))


def test_a_reference_to_a_longer_name_protects_that_alone() -> None:
    assert item_of(known(job(), references={Location("b", "models/training/job-10/"): "model fraud"}))


def test_a_reference_through_an_access_point_protects_its_key_in_every_bucket() -> None:
    place = Location("arn:aws:s3:us-east-1:111111111111:accesspoint", "ap/models/training/job-1/x")
    assert "model fraud refers to" in why_kept(known(job(), references={place: "model fraud"}))
    assert "model fraud refers to" in why_kept(known(job(), references={Location("ap-s3alias", "models/"): "model fraud"}))


# Jobs that still want it


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Deleting", "Gone", "Paused", "Unknown", ""])
@pytest.mark.parametrize("key", ["models/training/job-1/a/b", "models/training", "models/training/job"])
def test_what_a_job_that_has_not_ended_for_certain_points_at_stays(status: str, key: str) -> None:
    pointing = job("other", status=status, is_live=status in ("InProgress", "Stopping"), points_at=(Location("b", key),))
    assert f"points at s3://b/{key}" in why_kept(known(job(), pointing))


@pytest.mark.parametrize("member", ["points_at", "artifact", "checkpoints"])
@pytest.mark.parametrize("key", ["models/training/job-1/data", "models/training/job-1", "models/training/", "models/training/job"])
def test_inputs_code_models_and_checkpoints_of_a_live_job_stay_with_whatever_begins_like_them(member: str, key: str) -> None:
    named: dict[str, Any] = {member: (Location("b", key),) if member == "points_at" else Location("b", key)}
    assert why_kept(known(job(), replace(live(), **named)))


def test_of_several_jobs_that_point_at_a_place_each_protects_it() -> None:
    place = Location("b", "models/training/job-1/data/")
    over, running = job("over", status="Failed", points_at=(place,)), live(points_at=(place,))
    assert item_of(known(job(), over))
    assert "job live is alive" in why_kept(known(job(), over, running))
    assert "job live is alive" in why_kept(known(job(), running, over))


def test_a_job_that_is_said_to_live_and_to_have_ended_lives() -> None:
    assert "job job-1 is alive (Completed)" in why_kept(known(job(is_live=True)))


@pytest.mark.parametrize("key", ["models/training/job-1/", "models/training/job-1/deeper", "models/training"])
def test_of_an_output_path_only_what_lies_under_the_live_job_s_name_is_its_own(key: str) -> None:
    output = Location("b", key)
    facts = known(job(), live("live", outputs=(output,)), leftovers=(left(),))
    if key == "models/training":
        assert item_of(facts)
    else:
        assert "job live is alive (InProgress), and points at s3://b/models/training/job-1/" in why_kept(facts)


@pytest.mark.parametrize("key", ["models/artifacts/", ""])
def test_an_output_path_that_holds_everything_keeps_not_everything(key: str) -> None:
    assert item_of(known(job(), live(outputs=(Location("b", key),))))


def test_an_output_path_that_cannot_be_told_apart_from_inputs_keeps_all_that_lies_there() -> None:
    assert why_kept(known(job(), live(points_at=(Location("b", ""),))))


@pytest.mark.parametrize("key", ["/", "x//", "models/training/../"])
def test_an_odd_output_path_keeps_all_that_lies_there(key: str) -> None:
    plain, odd = f"{key.rstrip('/')}/job-1/".lstrip("/"), live(outputs=(Location("b", key),))
    assert why_kept(known(job(), odd, leftovers=(left(plain),)))


@pytest.mark.parametrize(("status", "stays"), [("Failed", True), ("Stopped", True), ("Completed", False)])
def test_a_job_that_may_be_started_again_keeps_what_it_points_at(status: str, stays: bool) -> None:
    recent = job("recent", ended=13, status=status, points_at=(Location("b", "models/training/job-1/data/"),))
    assert bool(plan_clean(known(job(), recent), AGE, NOW).kept) is stays
    assert item_of(known(job(), replace(recent, ended_at=NOW - AGE * DAY)))


def test_a_job_on_a_checkpoint_prefix_that_a_live_job_uses_keeps_what_it_points_at() -> None:
    old = job("old", checkpoints=Location("b", "ckpt/run/"), points_at=(Location("b", "models/training/job-1/data/"),))
    assert item_of(known(job(), old))
    assert "job old shares its checkpoint prefix with job live" in why_kept(known(job(), old, live(checkpoints=Location("b", "ckpt"))))
    behind = replace(old, checkpoints=Location("ap-s3alias", "ckpt/run/"))  # which may be the same bucket
    assert "job old shares its checkpoint prefix with job live" in why_kept(known(job(), behind, live(checkpoints=Location("b", "ckpt"))))


# Whose it is


def test_a_name_never_takes_a_longer_one() -> None:
    facts = known(job(), leftovers=(left("models/training/job-10/", name="job-10"), left()))
    assert "no job job-10 is in our books" in why_kept(facts)
    assert [item.prefix for item in plan_clean(facts, AGE, NOW).items] == ["models/training/job-1/"]


def test_a_name_is_told_by_its_case() -> None:
    assert "no job Job-1 is in our books" in why_kept(known(job(), leftovers=(left("models/training/Job-1/", name="Job-1"),)))
    assert item_of(known(job(), job("Training")))  # which is no reason to keep whatever lies under models/training/
    assert "job Training is alive" in why_kept(known(job(), live("Training")))


@pytest.mark.parametrize("name", ["jоb-1", "ｊob-1", "job‑1", "jób-1", "job-1 ", "job -1"])
def test_what_looks_like_a_name_and_is_not_makes_a_path_uncertain(name: str) -> None:
    assert "may be taken for it" in why_kept(known(job(), leftovers=(left(f"models/training/job-1/{name}/"),)))


@pytest.mark.parametrize("part", ["", ".", "..", " ", " ..", "\u200b", "a\u200bb", "a\nb", "\u00a0", "\u0301"])
def test_components_that_nobody_can_read_make_a_path_uncertain(part: str) -> None:
    assert "nobody can be sure whose it is" in why_kept(known(job(), leftovers=(left(f"models/training/job-1/{part}/x/"),)))


@pytest.mark.parametrize("tail", ["../job-2/x", "./x", "a//x", "live/x", "a/live", "lıve/x", "LIVE/x", "models/artifacts/x"])
def test_an_object_whose_own_key_is_uncertain_or_names_a_live_job_stays(tail: str) -> None:
    facts = known(job(), live("live"))
    item = item_of(facts)
    assert keep_reason("b", f"{item.prefix}{tail}", NOW - 50 * DAY, facts, AGE, NOW, item)


@pytest.mark.parametrize("tail", ["x", "a/b/c.pt", "", "epoch=3-step=1200.ckpt", "Ünïcode 检查点/файл.bin", "job-10/x", "a b/x"])
def test_an_object_of_an_ordinary_name_goes(tail: str) -> None:
    facts = known(job(), live("live"))
    item = item_of(facts)
    assert keep_reason("b", f"{item.prefix}{tail}", NOW - 50 * DAY, facts, AGE, NOW, item) is None


def test_a_job_whose_own_addresses_do_not_name_the_bucket_owns_nothing_in_it() -> None:
    assert "does not name bucket b itself" in why_kept(known(job(outputs=(Location("elsewhere", ""),))))


def test_a_job_called_like_a_folder_does_not_own_what_nobody_knows() -> None:
    facts = known(job("training"), leftovers=(left("models/training/unknown/", name="unknown"),))
    assert "no job unknown is in our books" in why_kept(facts)


def test_a_job_called_like_a_folder_does_not_own_what_others_left_in_it() -> None:
    facts = known(job("training"), job(), leftovers=(left("models/training/", name="training"), left()))
    assert "are job job-1's too" in why_kept(facts)


def test_the_name_that_a_collector_saw_has_to_be_in_the_path() -> None:
    assert "does not name job job-1" in why_kept(known(job(), job("x"), leftovers=(left("models/training/x/"),)))
    assert "no job in our books is named" in why_kept(known(job(), leftovers=(left(name=""),)))


def test_a_live_job_s_name_inside_a_dead_one_s_path_keeps_it() -> None:
    assert "job live is alive" in why_kept(known(job(), live("live"), leftovers=(left("models/training/job-1/live/"),)))


def test_all_jobs_of_a_name_must_be_over_in_every_account_and_after_every_reuse() -> None:
    there, again = job(scope=THERE, outputs=()), job(created_at=NOW - 55 * DAY, outputs=())
    assert item_of(known(job(), there, again)).owners == (job().identity,)
    assert "job job-1 is alive" in why_kept(known(job(), replace(there, status="InProgress", is_live=True, ended_at=None)))
    assert "less than 14 days" in why_kept(known(job(), replace(again, ended_at=NOW - DAY)))


def test_an_owner_in_an_account_that_is_not_watched_keeps_what_it_left() -> None:
    assert "is not watched" in why_kept(known(job(scope=THERE), scopes=(HERE,)))
    assert "is not watched" in why_kept(known(job(), leftovers=(left(account="333333333333"),)))


# Checkpoints


def chain(*ends: tuple[str, float]) -> list[CleanJob]:
    """Jobs that used one checkpoint prefix, with or without a slash."""
    return [
        job(f"run-{number}", status=status, ended=ended, checkpoints=Location("b", f"ckpt/run{'/' * (number % 2)}"))
        for number, (status, ended) in enumerate(ends)
    ]


CHECKPOINTS = left("ckpt/run/", "checkpoints", "")


def test_checkpoints_go_when_every_job_of_the_chain_ended_long_ago_and_the_last_completed() -> None:
    jobs = chain(("Failed", 50), ("Stopped", 40), ("Completed", 30))
    item = item_of(known(*jobs, leftovers=(CHECKPOINTS,)))
    assert item.owners == tuple(one.identity for one in jobs)
    assert item.job == "run-2"
    assert "3 jobs, the last run-2 (Completed on" in item.why


@pytest.mark.parametrize("last", ["Failed", "Stopped"])
def test_checkpoints_stay_when_the_last_job_did_not_complete(last: str) -> None:
    assert "was the last with them and did not complete" in why_kept(known(*chain(("Completed", 50), (last, 40)), leftovers=(CHECKPOINTS,)))


def test_checkpoints_stay_while_any_job_of_the_chain_is_young_or_alive() -> None:
    assert "less than 14 days" in why_kept(known(*chain(("Completed", 50), ("Completed", 13)), leftovers=(CHECKPOINTS,)))
    running = live("again", checkpoints=Location("b", "ckpt/run"))
    assert "job again" in why_kept(known(*chain(("Completed", 50)), running, leftovers=(CHECKPOINTS,)))


def test_checkpoints_belong_to_the_jobs_that_say_so_and_to_no_name() -> None:
    assert "no job in our books has its checkpoints there" in why_kept(
        known(job("run"), leftovers=(left("ckpt/run/", "checkpoints", "run"),))
    )
    above = left("ckpt/", "checkpoints", "")
    assert "no job in our books has its checkpoints there" in why_kept(known(*chain(("Completed", 50)), leftovers=(above,)))


def test_checkpoints_stay_with_those_of_a_failed_job_above_or_below_them() -> None:
    for key in ("ckpt/", "ckpt/run/deeper/"):
        failed = job("other", status="Failed", checkpoints=Location("b", key))
        assert "it has checkpoints of job other" in why_kept(known(*chain(("Completed", 50)), failed, leftovers=(CHECKPOINTS,)))


def test_what_is_no_checkpoint_is_not_owned_by_lying_where_checkpoints_do() -> None:
    facts = known(job("run", checkpoints=Location("b", "ckpt/")), leftovers=(left("ckpt/nobody/", "intermediates", "nobody"),))
    assert "no job nobody is in our books" in why_kept(facts)


def test_checkpoints_of_a_longer_name_are_another_s() -> None:
    other = job("other", status="Failed", checkpoints=Location("b", "ckpt/run-10"))
    assert item_of(known(*chain(("Completed", 50)), other, leftovers=(CHECKPOINTS,)))


def test_checkpoints_in_something_else_keep_it_as_they_would_stay_themselves() -> None:
    failed = job(status="Failed", checkpoints=Location("b", "models/training/job-1/checkpoints/"))
    assert "it has checkpoints of job job-1" in why_kept(known(failed))
    assert item_of(known(replace(failed, status="Completed")))


# What lies in each other


def test_a_prefix_stays_with_what_stays_in_it_and_what_may_go_in_one_that_stays_may_go() -> None:
    young = left("models/training/job-1/debug-output/", "debugger", newest_at=NOW - DAY)
    facts = known(job(), leftovers=(left(), young))
    assert "debugger in it stay (models/training/job-1/debug-output/)" in why_kept(facts)
    assert plan_clean(facts, AGE, NOW).items == ()
    outer, inner = replace(left(), newest_at=NOW - DAY), replace(young, newest_at=NOW - 50 * DAY)
    assert [one.prefix for one in plan_clean(known(job(), leftovers=(outer, inner)), AGE, NOW).items] == [inner.prefix]


def test_models_that_were_found_in_a_prefix_keep_it() -> None:
    model = left("models/training/job-1/output/", "artifacts")
    assert "artifacts in it stay" in why_kept(known(job(), leftovers=(left(), model)))


# Facts that are missing, denied or old


@pytest.mark.parametrize("table", ["jobs_at", "references_at"])
@pytest.mark.parametrize("at", [None, NOW - 24 * HOUR - timedelta(seconds=1), NOW + HOUR])
def test_facts_of_any_account_that_are_missing_or_old_keep_everything(table: str, at: datetime | None) -> None:
    old: dict[str, Any] = {table: {HERE: NOW} | ({THERE: at} if at else {})}
    fresh: dict[str, Any] = {table: {HERE: NOW, THERE: NOW - 24 * HOUR}}
    assert "account 222222222222 in us-east-1" in why_kept(replace(known(job()), **old))
    assert item_of(replace(known(job()), **fresh))


def test_without_any_account_everything_stays() -> None:
    assert "no account is watched" in why_kept(known(job(), scopes=()))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"problem": "access denied"}, "cannot be looked into: access denied"),
        ({"object_lock": True}, "locks its objects"),
        ({"object_lock": None}, "nobody could tell"),
        ({"looked_at": NOW - 49 * HOUR}, "not within two days"),
    ],
)
def test_a_bucket_that_is_closed_locked_or_not_known_well_enough_is_left_alone(state: dict[str, Any], words: str) -> None:
    assert words in why_kept(known(job(), buckets={"b": bucket(**state)}))


def test_a_bucket_that_nobody_looked_at_or_that_strangers_read_is_left_alone() -> None:
    assert "never looked at" in why_kept(known(job(), buckets={}))
    assert "is shared" in why_kept(known(job(), shared_buckets=frozenset({"b"})))


@pytest.mark.parametrize("looked_at", [NOW - 48 * HOUR - timedelta(seconds=1), NOW + HOUR])
def test_what_was_looked_at_too_long_ago_stays(looked_at: datetime) -> None:
    assert "not within two days" in why_kept(known(job(), leftovers=(left(looked_at=looked_at),)))


# Teams


def test_other_teams_leftovers_are_left_out_and_keep_what_they_lie_in() -> None:
    other = left("models/training/job-1/debug-output/", "debugger", team="nlp")
    made = plan_clean(known(job(), leftovers=(left(), other)), AGE, NOW, frozenset({"RC"}))
    assert (made.items, [one.prefix for one in made.kept]) == ((), ["models/training/job-1/"])
    assert "it is of team nlp" in made.kept[0].why
    assert len(plan_clean(known(job(), leftovers=(left(), other)), AGE, NOW).items) == 2


def test_what_is_another_team_s_too_stays_when_one_team_s_is_asked_for() -> None:
    facts = known(job(), job(scope=THERE, team="nlp"))
    assert "which is of team nlp" in plan_clean(facts, AGE, NOW, frozenset({"rc"})).kept[0].why
    assert item_of(facts)


# Right before it goes


def test_an_object_that_is_not_in_what_was_planned_stays() -> None:
    facts = known(job(), leftovers=(left(), left("models/training/job-2/", name="job-2")))
    (item,) = plan_clean(facts, AGE, NOW).items
    assert keep_reason("b", "models/training/job-10/x", NOW - 50 * DAY, facts, AGE, NOW, item) == "it does not lie in what was planned"
    assert keep_reason("c", "models/training/job-1/x", NOW - 50 * DAY, facts, AGE, NOW, item) == "it does not lie in what was planned"
    assert keep_reason("b", "x", NOW - 50 * DAY, facts, AGE, NOW, None) == "it is not part of any leftover that was found"


def test_an_object_that_is_called_like_a_folder_is_not_in_it() -> None:
    facts = known(job())
    for item in (None, item_of(facts)):
        assert keep_reason("b", "models/training/job-1", NOW - 50 * DAY, facts, AGE, NOW, item)


def test_what_is_said_of_uploads_says_nothing_of_objects_nor_of_another_kind() -> None:
    facts = known(job(), leftovers=(left(kind="uploads"),))
    assert keep_reason("b", "models/training/job-1/x", NOW - 50 * DAY, facts, AGE, NOW, None)
    other = replace(item_of(facts), kind="intermediates")
    assert "intermediates were not found again" in (keep_reason("b", f"{other.prefix}x", NOW - 50 * DAY, facts, AGE, NOW, other) or "")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (known(job(created_at=NOW - 59 * DAY)), "no longer certain"),
        (known(job(), job(scope=THERE)), "no longer certain"),
        (known(), "no job job-1 is in our books"),
        (known(job(), leftovers=()), "not found again"),
        (known(job(), leftovers=(left(team="nlp"),)), "of team nlp by now"),
        (known(job(), buckets={"b": bucket(versioning="suspended")}), "could not be undone"),
    ],
)
def test_an_item_that_is_no_longer_what_was_planned_stays(then: CleanFacts, words: str) -> None:
    item = item_of(known(job(), buckets={"b": bucket(versioning="enabled")}))
    assert words in (keep_reason("b", f"{item.prefix}x", NOW - 50 * DAY, then, AGE, NOW, item) or "")


# Limits


@pytest.mark.parametrize(("objects", "size", "code"), [(10, 100, None), (11, 100, "too_many_objects"), (10, 101, "too_many_bytes")])
def test_an_apply_stays_within_its_limits(objects: int, size: int, code: str | None) -> None:
    refusal = within_limits(objects, size, 10, 100)
    assert (refusal.code if isinstance(refusal, Refusal) else None) == code


def test_a_refusal_says_how_much_it_was_and_how_much_may_be() -> None:
    refusal = within_limits(1, 61_500 * 10**9, 1, 50 * 10**12)
    assert refusal
    assert "61.5 TB are more than the 50.0 TB of one apply" in refusal.why
    refusal = within_limits(2_000_000, 0, 1_000_000, 0)
    assert refusal
    assert "2,000,000 objects are more than the 1,000,000" in refusal.why


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50 TB", 50 * 10**12),
        ("50TB", 50 * 10**12),
        (" 1.5 gb ", 15 * 10**8),
        ("1 KiB", 1024),
        ("2 TiB", 2 * 1024**4),
        ("1_000_000", 10**6),
        ("0", 0),
        ("7 B", 7),
        ("1 EB", 10**18),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "TB", "-1 TB", "1,5 TB", "1.5 B", "0.0001 kB", "fifty TB", "50 TBs", "50 XB", "1e3", "٣ TB", "1 T B", "inf", "."]
)
def test_what_is_no_size_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a size|not a whole number"):
        parse_bytes(text)
