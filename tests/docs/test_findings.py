"""Every rule has its page, its row and its tests, and the pages say what the rules do."""

import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from domain.findings.judge import RULES, SILENCES, TITLES, judged
from domain.findings.thresholds import THRESHOLD_NAMES, Thresholds
from settings import Runaway, TeamSettings
from tests.situations import FIRING

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "findings"
SECTIONS = ["Fires when", "Evidence", "Money", "What to do", "What it is often not", "Settings"]
of_each_rule = pytest.mark.parametrize("rule", RULES)


def page(rule: str) -> str:
    return (FOLDER / f"{rule}.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table's rows, without its head."""
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def row(rule: str) -> list[str]:
    (found,) = [cells for cells in rows((FOLDER / "README.md").read_text(encoding="utf-8")) if f"({rule}.md)" in cells[0]]
    return found


def used(rule: str) -> set[str]:
    """The thresholds that a rule's code asks for."""
    source = inspect.getsource(importlib.import_module(f"domain.findings.{rule}"))
    return set(re.findall(r"limits\.(\w+)", source)) & {field.name for field in fields(Thresholds)}


def test_there_is_a_page_for_every_rule_and_for_nothing_else() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*RULES, "README"}


@of_each_rule
def test_a_page_bears_the_title_of_its_rule_and_the_same_sections_as_all(rule: str) -> None:
    headings = re.findall(r"^(#+) (.+)$", page(rule), re.MULTILINE)
    assert headings == [("#", TITLES[rule]), *(("##", section) for section in SECTIONS)]


@of_each_rule
def test_a_page_is_short(rule: str) -> None:
    assert 25 <= len(page(rule).splitlines()) <= 45


@of_each_rule
def test_every_rule_has_its_row_in_the_table(rule: str) -> None:
    name, title, *_ = row(rule)
    assert (name, title) == (f"[`{rule}`]({rule}.md)", TITLES[rule])


@of_each_rule
def test_page_and_table_say_how_grave_a_finding_is(rule: str) -> None:
    (found,) = judged(*FIRING[rule]()).findings
    assert found.severity in row(rule)[2]
    assert f": {found.severity}" in " ".join(page(rule).split())


@of_each_rule
def test_page_and_table_say_which_rules_silence_it(rule: str) -> None:
    stronger = {other for other, weaker in SILENCES.items() if rule in weaker}
    assert set(re.findall(r"`(\w+)`", row(rule)[4])) == stronger
    assert [other for other in stronger if f"({other}.md)" not in page(rule)] == []


@of_each_rule
def test_a_page_says_which_rules_it_silences(rule: str) -> None:
    assert [weaker for weaker in SILENCES.get(rule, ()) if f"({weaker}.md)" not in page(rule)] == []


@of_each_rule
def test_every_rule_has_its_tests(rule: str) -> None:
    assert (ROOT / "tests" / "unit" / "domain" / "findings" / f"test_{rule}.py").exists()


@of_each_rule
def test_a_page_names_the_thresholds_that_its_rule_asks_for(rule: str) -> None:
    names = {"max_job_usd" if name == "max_job_nusd" else name for name in used(rule)}
    listed = {cells[0].strip("`") for cells in rows(page(rule))}
    before = page(rule).split("## Settings")[0]
    assert listed == names
    assert [name for name in names - {"max_job_usd"} if f"`{name}`" not in before] == []


@of_each_rule
def test_a_page_says_the_defaults_of_its_settings(rule: str) -> None:
    for name, default, _ in [(cells[0].strip("`"), cells[1].strip("`"), cells[2]) for cells in rows(page(rule))]:
        declared = (TeamSettings if name == "max_job_usd" else Runaway).model_fields[name].default
        assert default == ("none" if declared is None else f"{declared:g}"), name


def test_every_threshold_is_named_in_some_page() -> None:
    text = "".join(page(rule) for rule in RULES)
    assert [name for name in THRESHOLD_NAMES if f"`{name}`" not in text] == []


def test_the_table_says_what_the_defaults_are() -> None:
    limits = Thresholds()
    said = {
        "near_limit": f"{limits.near_limit_percent:g} %",
        "no_limit": f"{limits.no_limit_hours:g} h",
        "idle_gpu": f"{limits.idle_minutes} min",
        "hung": f"{limits.hung_minutes} min",
        "slow_gpu": f"{limits.slow_minutes} min",
        "unused_gpus": f"{limits.slow_minutes} min",
        "straggler": f"{limits.idle_minutes} min",
        "idle_cpu": f"{limits.idle_cpu_percent:g} %",
        "spot_thrash": f"{limits.thrash_interruptions} times",
        "diverged": f"{limits.diverged_minutes // 60} h",
        "idle_warm_pool": f"{limits.warm_pool_minutes} min",
    }
    assert {rule: words for rule, words in said.items() if words not in row(rule)[3]} == {}
