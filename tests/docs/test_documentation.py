"""Documentation that has gone stale fails here: settings, commands, permissions, pages, figures and links."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

import cli
from actions import looking, objects
from collectors.permissions import PROBES
from settings import Settings
from storage.views.spend import DIMENSIONS
from tests.docs.settings_table import table
from worker.catalog import CATALOG

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_of_settings_is_what_settings_declare() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == table(), "run: python -m tests.docs.settings_table"


def test_every_setting_says_what_it_means() -> None:
    def fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
        return [(f"{model.__name__}.{name}", field) for name, field in model.model_fields.items()]

    for section in Settings.model_fields.values():
        kind = getattr(section.annotation, "__args__", (section.annotation,))[0]
        assert all(field.description for _, field in fields(kind)), kind


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in cli.main.commands if f"`trainwatch {name}`" not in text]
    assert missing == []


def test_every_subcommand_of_db_is_in_the_readme() -> None:
    group = cli.main.commands["db"]
    assert isinstance(group, click.Group)
    assert all(name in (ROOT / "README.md").read_text(encoding="utf-8") for name in group.commands)


def test_every_permission_is_documented_and_tried_by_doctor() -> None:
    needed = {permission for collector in CATALOG.values() for permission in collector.permissions}
    text = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    assert [permission for permission in needed if f"`{permission}`" not in text] == []
    assert needed <= set(PROBES)


@pytest.mark.parametrize("kind", ["reader", "operator"])
def test_the_policies_in_deploy_are_those_of_an_empty_settings_file(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(cli.main, ["policy", f"--{kind}"])
    assert printed.stdout == (ROOT / "deploy" / f"{kind}-policy.json").read_text(encoding="utf-8")


def test_the_reader_policy_allows_what_collectors_call_and_nothing_more() -> None:
    policy = json.loads((ROOT / "deploy" / "reader-policy.json").read_text(encoding="utf-8"))
    assert {name for statement in policy["Statement"] for name in statement["Action"]} == set(PROBES)


def test_the_operator_policy_allows_what_actions_call_and_nothing_more() -> None:
    policy = json.loads((ROOT / "deploy" / "operator-policy.json").read_text(encoding="utf-8"))
    allowed = {name for statement in policy["Statement"] if statement["Effect"] == "Allow" for name in statement["Action"]}
    assert allowed == {*looking.REQUIRED_PERMISSIONS, *objects.REQUIRED_PERMISSIONS}
    text = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    assert [name for name in allowed if f"`{name}`" not in text] == []


def test_the_lifecycle_rule_of_the_readme_and_of_the_guide_is_about_the_tag_that_a_quarantine_puts() -> None:
    for path in (ROOT / "README.md", ROOT / "docs" / "cleaning.md"):
        (block,) = re.findall(r"```json\n(\{.*?\})\n```", path.read_text(encoding="utf-8"), re.DOTALL)
        (rule,) = json.loads(block)["Rules"]
        assert rule["Filter"] == {"Tag": {"Key": objects.TAG, "Value": objects.EXPIRE}}, path
        assert rule["Status"] == "Enabled"


def test_every_page_is_documented() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS)
    titles = re.findall(r'title="([A-Z][a-z ]+)"', (ROOT / "ui" / "places.py").read_text(encoding="utf-8"))
    assert len(titles) >= 5
    assert [title for title in titles if f"**{title}**" not in text] == []


def test_the_commands_in_the_documentation_exist() -> None:
    for path in DOCS:
        for line in re.findall(r"trainwatch (?:--config \S+ )?([a-z]+(?: [^`\n|]*)?)", path.read_text(encoding="utf-8")):
            words = line.split()
            if words[0] not in cli.main.commands:
                continue
            options = {name for command in _commands(words) for parameter in command.params for name in parameter.opts}
            unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
            assert unknown == [], (path.name, line)


def _commands(words: list[str]) -> list[click.Command]:
    command = cli.main.commands[words[0]]
    inner = [command.commands[word] for word in words[1:2] if isinstance(command, click.Group) and word in command.commands]
    return [command, *inner]


def test_the_dimensions_are_those_of_the_help() -> None:
    (by,) = [parameter for parameter in cli.main.commands["cost"].params if parameter.name == "by"]
    assert isinstance(by, click.Option)
    assert all(name in (by.help or "") for name in DIMENSIONS)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_holds_the_table_of_a_real_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    between = text.split("<!-- bench -->")[1].split("<!-- /bench -->")[0]
    assert between.count("\n| ") >= 8


def test_nothing_names_a_machine() -> None:
    names = ("/root/", "/home/", "/work/")
    for path in [*ROOT.glob("*.py"), *ROOT.glob("*/**/*.py"), *DOCS]:
        if ".venv" in path.parts or path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8")
        assert [name for name in names if name in text] == [], path
