"""Whatever a job says of where its things lie, and whenever it comes: what it wants is there after a clean, over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demo.plan import COMPLETED, STOPPED, Checkpoints, JobPlan
from tests.databases import migrated
from tests.effort import examples
from tests.integration.actions.yard import BUCKET, job, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY, NOW, lasting

__all__ = ["watch"]

OLD = ("rc-fraud-1", "rc-fraud-2")
HOST = f"{BUCKET}.s3.us-east-1.amazonaws.com"
FORMS: dict[str, Callable[[str], str]] = {
    "s3": lambda key: f"s3://{BUCKET}/{key}",
    "https": lambda key: f"https://{HOST}/{key}",
    "by path": lambda key: f"https://s3.us-east-1.amazonaws.com/{BUCKET}/{key}",
    "access point": lambda key: f"s3://shared-a1b2-s3alias/{key}",
}
MEMBERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "environment": lambda uri: {"environment": {"BASE_MODEL": uri}},
    "secret environment": lambda uri: {"environment": {"AUTH_TOKEN": f"{uri} sk-0123456789abcdefghijkl"}},
    "hyperparameter": lambda uri: {"hyperparameters": {"pretrained": f'"{uri}"'}},
    "secret hyperparameter": lambda uri: {"hyperparameters": {"api_key": uri}},
    "argument": lambda uri: {"overrides": {"AlgorithmSpecification": {"TrainingImage": "i", "ContainerArguments": ["--secret", uri]}}},
    "checkpoints": lambda uri: {"overrides": {"CheckpointConfig": {"S3Uri": uri}}, "checkpoints": Checkpoints("s3://other/x/")},
    "input": lambda uri: {
        "overrides": {
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}]
        }
    },
}
ENDS = {  # how old it is, how long it takes, and how it ends: alive, or such that people may start it again
    "alive": (timedelta(hours=2), 400.0, COMPLETED), "stopped lately": (timedelta(days=3), 3.0, STOPPED),
}  # fmt: skip


def user(place: str, form: str, member: str, end: str) -> JobPlan:
    """A job that wants what lies at a place."""
    created, hours, ending = ENDS[end]
    members = {"checkpoints": None, **MEMBERS[member](FORMS[form](place))}
    return job("rc-credit-user", created, phases=lasting(hours), ending=ending, **members)


@settings(
    max_examples=examples(60) // 2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(OLD),
    st.sampled_from(["models/training/{}/output/", "models/training/{}", "checkpoints/{}/", "checkpoints/{}", "checkpoints/"]),
    st.sampled_from(list(FORMS)),
    st.sampled_from(list(MEMBERS)),
    st.sampled_from(list(ENDS)),
    st.sampled_from(["before", "collected", "not collected"]),
    st.sampled_from(["delete", "quarantine"]),
)
def test_what_a_job_wants_is_there_after_a_clean(
    watch: Watch, tmp_path_factory: pytest.TempPathFactory, owner: str, where: str, form: str, member: str, end: str, comes: str, mode: str
) -> None:
    place, wants = where.format(owner), user(where.format(owner), form, member, end)
    if comes != "before":  # what nobody knew of can only be new
        wants = replace(user(place, form, member, "alive"), created_at=NOW)
    engine = migrated(f"sqlite:///{tmp_path_factory.mktemp('any') / 'x.db'}")
    ours = yard(watch, [*(job(name) for name in OLD), *([wants] if comes == "before" else [])], engine)
    before = ours.keys()
    wanted = {key for key in before if key.startswith(place)}
    assert wanted
    plan_id = ours.plan(mode)
    planned = {key for keys in ours.planned(plan_id).values() for key in keys}
    if comes == "before":
        assert not planned & wanted
    else:
        assert planned & wanted
        ours.account.aws.add(wants)
    if comes == "collected":
        assert ours.account.run("jobs").outcome == "ok"
    report = ours.applied(plan_id)
    left = set(ours.keys())
    assert wanted <= left
    assert set(before) - left <= planned
    tagged = {
        key for key in wanted
        if any(one["Key"] == "trainwatch" for one in ours.account.clients().s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"])
    }  # fmt: skip
    assert not tagged
    assert report.failed_objects == 0
    if where != "checkpoints/" and member != "secret environment":  # of an address that looks like a secret the bucket alone is kept
        assert report.deleted_objects + report.tagged_objects > 0
    ours.account.aws.close()
    engine.dispose()


@pytest.mark.parametrize("member", MEMBERS)
def test_a_job_that_is_over_for_long_keeps_nothing_by_pointing_at_it(member: str, watch: Watch) -> None:
    """The property above can fail: what nobody wants any more goes."""
    place = "models/training/rc-fraud-1/output/"
    over = job("rc-credit-user", 90 * DAY, **{"checkpoints": None, **MEMBERS[member](FORMS["s3"](place))})
    ours = yard(watch, [job("rc-fraud-1", 60 * DAY), over])
    plan_id = ours.plan()
    assert any(key.startswith(place) for keys in ours.planned(plan_id).values() for key in keys)
