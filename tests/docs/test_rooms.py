"""The single files of the house import only what stands below them (packages: see the contracts in pyproject.toml)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"app", "cli", "processes", "settings"}
ALLOWED = {
    "settings": {"domain"},
    "app": {"ui", "reports", "storage", "settings"},
    "processes": {"demo", "settings"},
    "cli": ROOMS - {"app", "cli", "pages", "ui"},
}
HEAVY = {"boto3", "botocore", "sqlalchemy", "streamlit", "plotly", "moto"}
MAY_USE = {"app": {"streamlit"}}


def imported(path: Path) -> set[str]:
    """The top-level names a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_single_file_imports_only_what_stands_below_it(name: str) -> None:
    found = imported(ROOT / f"{name}.py")
    assert (found & ROOMS) - ALLOWED[name] == set()
    assert (found & HEAVY) - MAY_USE.get(name, set()) == set()


def test_only_the_demo_command_knows_the_simulator() -> None:
    product = [path for room in ROOMS - {"demo", "processes"} for path in (*ROOT.glob(f"{room}.py"), *ROOT.glob(f"{room}/**/*.py"))]
    assert [str(path) for path in product if "demo" in imported(path)] == []
