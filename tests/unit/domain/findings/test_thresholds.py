"""Thresholds are what settings declare."""

from domain.findings.judge import RULES
from domain.findings.thresholds import STOPPABLE, THRESHOLD_NAMES, Thresholds
from domain.money import nusd
from settings import Runaway, Settings


def test_every_threshold_is_a_setting_with_the_same_default() -> None:
    declared, limits = Runaway(), Thresholds()
    assert {name: getattr(limits, name) for name in THRESHOLD_NAMES} == {name: getattr(declared, name) for name in THRESHOLD_NAMES}


def test_the_cap_is_the_teams_and_not_a_threshold_for_everybody() -> None:
    settings = Settings.model_validate({"teams": [{"id": "rc", "max_job_usd": 250}]})
    assert "max_job_nusd" not in THRESHOLD_NAMES
    assert (settings.thresholds("RC").max_job_nusd, settings.thresholds("nlp").max_job_nusd) == (nusd("250"), None)


def test_a_team_may_have_thresholds_of_its_own() -> None:
    settings = Settings.model_validate({"runaway": {"idle_minutes": 45, "teams": [{"id": "rc", "idle_gpu_percent": 2}]}})
    assert (settings.thresholds("rc").idle_gpu_percent, settings.thresholds("rc").idle_minutes) == (2, 45)
    assert settings.thresholds("nlp").idle_gpu_percent == 5


def test_a_policy_may_act_on_rules_that_exist_alone() -> None:
    assert set(STOPPABLE) <= set(RULES)
