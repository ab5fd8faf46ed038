"""Which key is what: by convention, by what jobs say, and never by what only looks alike."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inventory import Folder, Mark, Stock, Territory
from domain.job_places import job_places

BUCKET = "acme"
AT = datetime(2026, 11, 20, tzinfo=UTC)
FOLDERS = Folder("models/training/{job}/"), Folder("models/artifacts/")


def described(name: str, status: str = "Completed", **members: Any) -> Mapping[str, Any]:
    return {"TrainingJobName": name, "TrainingJobStatus": status, "CreationTime": AT.isoformat(), **members}


def output(path: str) -> dict[str, Any]:
    return {"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{path}"}}


def saves(path: str) -> dict[str, Any]:
    return {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/{path}"}}


def territory(*descriptions: Mapping[str, Any]) -> Territory:
    made = Territory(*FOLDERS)
    for one in descriptions:
        made.add(job_places(one), BUCKET)
    return made


def mark(made: Territory, directory: str) -> tuple[str, str, str] | None:
    found = made.mark(directory)
    return None if found is None else (found.prefix, found.kind, found.job)


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("models/training/job-1/", ("models/training/job-1/", "intermediates", "job-1")),
        ("models/training/job-1/output/deep/", ("models/training/job-1/", "intermediates", "job-1")),
        ("models/training/job-10/x/", ("models/training/job-10/", "intermediates", "job-10")),
        ("models/training/", None),
        ("models/training//x/", None),
        ("other/models/training/job-1/", None),
        ("models/artifacts/job-1/output/", ("models/artifacts/job-1/output/", "artifacts", "job-1")),
        ("models/artifacts/job-1/debug-output/events/", ("models/artifacts/job-1/debug-output/", "debugger", "job-1")),
        ("models/artifacts/job-1/profiler-output/", ("models/artifacts/job-1/profiler-output/", "profiler", "job-1")),
        ("models/artifacts/job-1/rule-output/", ("models/artifacts/job-1/rule-output/", "debugger", "job-1")),
        ("models/artifacts/job-1/notes/", ("models/artifacts/job-1/", "artifacts", "job-1")),
        ("data/train/", None),
        ("", None),
    ],
)
def test_a_key_is_what_the_convention_says(directory: str, expected: tuple[str, str, str] | None) -> None:
    assert mark(territory(), directory) == expected


def test_at_another_output_path_only_jobs_of_the_books_are_known() -> None:
    made = territory(described("job-1", **output("runs")))
    assert mark(made, "runs/job-1/output/") == ("runs/job-1/output/", "artifacts", "job-1")
    assert mark(made, "runs/job-1/debug-output/x/") == ("runs/job-1/debug-output/", "debugger", "job-1")
    assert mark(made, "runs/job-10/output/") is None
    assert mark(made, "runs/") is None


def test_debugger_profiler_and_tensorboard_have_paths_of_their_own() -> None:
    members = {
        member: {"S3OutputPath": f"s3://{BUCKET}/{path}"}
        for member, path in (("DebugHookConfig", "dbg/"), ("ProfilerConfig", "prof"), ("TensorBoardOutputConfig", "tb/all/"))
    }
    made = territory(described("j", **members))
    assert mark(made, "dbg/j/debug-output/") == ("dbg/j/debug-output/", "debugger", "j")
    assert mark(made, "prof/j/profiler-output/system/") == ("prof/j/profiler-output/", "profiler", "j")
    assert mark(made, "tb/all/j/tensorboard-output/") == ("tb/all/j/tensorboard-output/", "tensorboard", "j")
    assert mark(made, "dbg/j/notes/") is None  # nothing of SageMaker's is there


def test_checkpoints_belong_to_whoever_ended_and_name_a_job_only_where_the_path_does() -> None:
    made = territory(described("job-1", **saves("checkpoints/job-1")), described("job-2", **saves("chain/a/")))
    assert mark(made, "checkpoints/job-1/checkpoint-500/") == ("checkpoints/job-1/", "checkpoints", "job-1")
    assert mark(made, "checkpoints/job-10/checkpoint-500/") is None
    assert mark(made, "chain/a/") == ("chain/a/", "checkpoints", "")


def test_checkpoints_of_live_jobs_alone_are_not_left_over() -> None:
    live = described("job-2", "InProgress", **saves("models/training/job-1/saves/"))
    made = territory(described("job-1"), live)
    assert mark(made, "models/training/job-1/saves/") is None
    assert mark(made, "models/training/job-1/output/") == ("models/training/job-1/", "intermediates", "job-1")
    assert mark(territory(live, described("job-0", **saves("models/training/job-1/saves"))), "models/training/job-1/saves/x/") == (
        "models/training/job-1/saves/", "checkpoints", "",
    )  # fmt: skip


def test_whose_a_shared_prefix_is_says_its_newest_job_in_whatever_order_they_come() -> None:
    old, new = described("old", **saves("chain")), described("new", **saves("chain")) | {"CreationTime": (AT + timedelta(1)).isoformat()}
    assert {territory(*order).mark("chain/") for order in ((old, new), (new, old))} == {Mark("chain/", "checkpoints", "", "new")}


def test_a_whole_bucket_of_checkpoints_is_not_taken_for_one_jobs() -> None:
    assert mark(territory(described("j", **saves(""))), "anything/") is None


def test_a_job_that_writes_into_the_intermediates_keeps_its_model_apart() -> None:
    made = territory(described("j", **output("models/training/")))
    assert mark(made, "models/training/j/output/") == ("models/training/j/output/", "artifacts", "j")
    assert mark(made, "models/training/j/source/") == ("models/training/j/", "intermediates", "j")


def test_the_sources_of_either_sdk_name_a_bucket() -> None:
    second = described("j", HyperParameters={"sagemaker_submit_directory": '"s3://code-2/j/source/sourcedir.tar.gz"'})
    source = {"S3DataSource": {"S3Uri": "s3://code-3/j/input/code/"}}
    third = described("j", InputDataConfig=[{"ChannelName": "code", "DataSource": source}, {"ChannelName": "train"}, None])
    assert job_places(second).buckets == {"code-2"}
    assert job_places(third).buckets == {"code-3"}
    assert job_places(described("j", HyperParameters={"sagemaker_submit_directory": "***"}, InputDataConfig=None)).buckets == set()


@pytest.mark.parametrize(
    ("template", "directory", "expected"),
    [
        ("{team}/runs/{job}/tmp/", "rc/runs/j/tmp/x/", ("rc/runs/j/tmp/", "j")),
        ("runs/{Job}", "runs/j/", ("runs/j/", "j")),
        ("runs/", "runs/j/x/", ("runs/j/", "j")),
        ("a/{job}/b/{job}/", "a/j/b/j/", ("a/j/b/j/", "j")),
        ("a/{job}/b/{job}/", "a/j/b/k/", None),
        ("x+y/{job}/", "xxy/j/", None),
        ("", "j/", None),
    ],
)
def test_a_convention_may_have_any_form(template: str, directory: str, expected: tuple[str, str] | None) -> None:
    assert Folder(template).match(directory) == expected


NAMES = st.sampled_from(["job-1", "job-10", "job-1-2", "jöb", "a b", "..", "models", "output", "debug-output"])
PARTS = st.lists(NAMES | st.sampled_from(["models", "training", "artifacts", "runs", "checkpoints", "x"]), max_size=5)


@given(st.lists(st.tuples(NAMES, PARTS, PARTS, st.booleans()), max_size=6), st.lists(PARTS, min_size=1, max_size=8))
def test_what_is_marked_lies_under_its_prefix_and_where_somebody_looks(jobs: list[Any], directories: list[list[str]]) -> None:
    made = territory(
        *(
            described(name, "Completed" if over else "InProgress", **output("/".join(out)), **saves("/".join(save)))
            for name, out, save, over in jobs
        )
    )
    spans = made.spans()
    for parts in directories:
        directory = "".join(f"{part}/" for part in parts)
        found = made.mark(directory)
        if found is not None:
            assert directory.startswith(found.prefix)
            assert found.prefix.endswith("/")
            assert any(directory.startswith(span) for span in spans)
            assert found.job == "" or found.job in found.prefix.split("/")


@given(st.lists(st.tuples(PARTS, st.integers(0, 9), st.sampled_from(["STANDARD", "GLACIER"])), max_size=40), st.integers(1, 7))
def test_piles_are_the_same_whether_handed_on_early_or_at_the_end(objects: list[Any], page: int) -> None:
    made = territory(described("job-1", **output("runs"), **saves("models/training/job-1/saves")))
    keys = sorted({"/".join([*parts, "file"]): (size, kind) for parts, size, kind in objects}.items())
    whole, early = Stock(made), Stock(made)
    handed = []
    for start in range(0, len(keys), page):
        for key, (size, kind) in keys[start : start + page]:
            whole.add(key, size, kind, AT)
            early.add(key, size, kind, AT)
        handed += early.done(keys[start : start + page][-1][0])
    handed += early.done()
    assert sorted((pile.mark, pile.objects, pile.bytes) for pile in handed) == sorted(
        (pile.mark, pile.objects, pile.bytes) for pile in whole.done()
    )
    assert len({pile.mark.prefix for pile in handed}) == len(handed)
