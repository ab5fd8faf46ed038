"""Plans that do have something in them, and the one change after each that must keep it; with the rule that has to see to that."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import cleaning_index
from domain.cleaning import CleanFacts, CleanIndex, CleanItem, CleanRules, plan_clean
from domain.cleaning_paths import why_odd
from domain.s3 import Location
from tests.unit.domain.cleaning_facts import AGE, DAY, HERE, NOW, THERE, bucket, job, known, left, live
from tests.unit.domain.worlds import hundreds

CKPT, WORK = "ckpt/{}/", "models/training/{}/"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z"), exclude_characters="/."), min_size=1, max_size=8)
OTHERS = ("feeder", "another", "again", "live", "models", "training", "ckpt")
PLAIN = NAMES.filter(lambda name: why_odd(name) is None and name.casefold() not in OTHERS)
Change = Callable[[CleanFacts, str], CleanFacts]


@dataclass(frozen=True)
class Case:
    """A change after a plan: which of its two items it has to keep, and the rule without which it would not."""

    change: Change
    keeps: str
    patched: tuple[Any, str, Any]


def base(name: str, chain: int = 2, versioning: str = "off") -> CleanFacts:
    """A chain of jobs that shared a checkpoint prefix and are over, the last completed, and the work of the first of them."""
    ckpt, work = Location("b", CKPT.format(name)), Location("b", WORK.format(name))
    jobs = [job(name if number == 0 else f"{name}-{number}", ended=50 - number, checkpoints=ckpt) for number in range(chain)]
    jobs[:-1] = [replace(one, status="Stopped") for one in jobs[:-1]]
    return known(
        *jobs,
        job("feeder"),
        leftovers=(left(ckpt.key, "checkpoints", name), left(work.key, name=name), left(WORK.format("feeder"), name="feeder")),
        buckets={"b": bucket(versioning=versioning), "c": bucket("c")},
    )


def items(facts: CleanFacts) -> dict[str, CleanItem]:
    """The items by what they are; all three leftovers have to be in the plan."""
    made = plan_clean(facts, AGE, NOW)
    assert [one.why for one in made.kept] == []
    return {"feeder" if "feeder" in one.prefix else one.kind: one for one in made.items}


def reason(facts: CleanFacts, item: CleanItem) -> str | None:
    """Why an old object of an item stays now."""
    return CleanRules(CleanIndex(facts), AGE, NOW).keep_reason(item.bucket, f"{item.prefix}x", NOW - 50 * DAY, item)


def added(one: Any) -> Change:
    return lambda facts, name: replace(facts, jobs=(*facts.jobs, one(name)))


def last(**changes: Any) -> Change:
    """The last job of the chain is another than was thought."""
    return lambda facts, _: replace(facts, jobs=(*facts.jobs[:-2], replace(facts.jobs[-2], **changes), facts.jobs[-1]))


def dropped(facts: CleanFacts, _name: str) -> CleanFacts:
    """The first job of the chain is no longer in the books."""
    return replace(facts, jobs=facts.jobs[1:])


def moved(facts: CleanFacts, _name: str) -> CleanFacts:
    return replace(facts, leftovers=tuple(replace(one, team="nlp") for one in facts.leftovers))


def suspended(facts: CleanFacts, _name: str) -> CleanFacts:
    return replace(facts, buckets=facts.buckets | {"b": bucket(versioning="suspended")})


def resumed(facts: CleanFacts, name: str) -> CleanFacts:
    """Somebody goes on from the checkpoints of a job that had stopped, and so may want what that one read."""
    stopped = replace(facts.jobs[0], status="Stopped", points_at=(Location("b", WORK.format("feeder")),))
    return replace(facts, jobs=(stopped, *facts.jobs[1:], live("again", checkpoints=Location("b", f"{CKPT.format(name)}deeper/"))))


def old(scope: tuple[str, str] = HERE, where: str = "b") -> Callable[[str], Any]:
    return lambda name: job("another", scope, 45, checkpoints=Location(where, CKPT.format(name)))


NEVER = lambda *_: None  # noqa: E731 - a rule that has nothing to say
CHANGED, CHAIN, PLACE, PATH = ((CleanRules, name, NEVER) for name in ("_changed", "_chain_reason", "_place_reason", "_path_reason"))
CASES: dict[str, Case] = {
    "another job had its checkpoints there": Case(added(old()), "checkpoints", CHANGED),
    "one of another account had": Case(added(old(THERE)), "checkpoints", CHANGED),
    "an owner is no longer in the books": Case(dropped, "checkpoints", CHANGED),
    "its name was given again": Case(added(lambda name: job(name, ended=40, created_at=NOW - 41 * DAY)), "intermediates", CHANGED),
    "it is of another team by now": Case(moved, "intermediates", CHANGED),
    "its bucket no longer keeps versions": Case(suspended, "checkpoints", CHANGED),
    "a job behind an access point resumes from it": Case(
        added(lambda name: live(checkpoints=Location("b-s3alias", CKPT.format(name)))), "checkpoints", (CleanRules, "_place_reason", NEVER)
    ),
    "a live job reads it": Case(added(lambda name: live(points_at=(Location("b", WORK.format(name)),))), "intermediates", PLACE),
    "a live job of another account reads below it": Case(
        added(lambda name: live(points_at=(Location("b", f"{WORK.format(name)}x"),), account=THERE[0])), "intermediates", PLACE
    ),
    "a model refers to it": Case(
        lambda facts, name: replace(facts, references={Location("b", f"{WORK.format(name)}x"): "model m"}), "intermediates", PLACE
    ),
    "its name is that of a live job": Case(added(lambda name: live(name, outputs=(Location("c", "out/"),))), "intermediates", PATH),
    "what a stopped job read is wanted again": Case(resumed, "feeder", (cleaning_index, "_why_resumable", lambda *_: "")),
    "the last of the chain did not complete": Case(last(status="Failed"), "checkpoints", CHAIN),
    "one of the chain ended lately after all": Case(last(ended_at=NOW - 2 * DAY), "checkpoints", CHAIN),
}


@hundreds
@given(PLAIN, st.integers(2, 4), st.sampled_from(list(CASES)))
def test_each_change_keeps_what_it_is_about_whatever_the_names(name: str, chain: int, what: str) -> None:
    case, facts = CASES[what], base(name, chain, "enabled" if "versions" in what else "off")
    item = items(facts)[case.keeps]
    assert reason(facts, item) is None
    assert reason(case.change(facts, name), item), what


@pytest.mark.parametrize("what", CASES)
def test_without_its_rule_a_change_would_be_missed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above can fail: each rests on the rule that is named for it."""
    case, facts = CASES[what], base("job-1", 2, "enabled" if "versions" in what else "off")
    item, after = items(facts)[case.keeps], case.change(facts, "job-1")
    before = reason(after, item)
    monkeypatch.setattr(*case.patched)
    assert reason(after, item) != before
