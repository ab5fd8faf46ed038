"""What Clean says of a plan whose list of objects was given up."""

from datetime import UTC, datetime, timedelta

from storage.cleaning import PlanHead
from ui.clean import plan_words

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def head(begun_at: datetime | None) -> PlanHead:
    made = NOW - timedelta(days=200)
    return PlanHead(3, made, "ann", (), 14, "delete", "applied" if begun_at else "planned", None, (), begun_at, begun_at, NOW)


def test_a_plan_that_was_applied_sends_to_the_audit_log() -> None:
    assert "stands in Audit in sum" in plan_words(head(NOW - timedelta(days=200)), [], {}, NOW)


def test_a_plan_that_never_was_is_not_said_to_have_taken_anything() -> None:
    words = plan_words(head(None), [], {}, NOW)
    assert "it was never applied" in words
    assert "Audit" not in words
