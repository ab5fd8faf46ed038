"""What an installation without the source beside it needs is in the package."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
PACKAGES = sorted(name.removesuffix("*") for name in PROJECT["packages"]["find"]["include"])


def _data(package: Path) -> set[Path]:
    return {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}


def test_every_data_file_of_a_package_is_installed_with_it() -> None:
    installed = {
        path
        for package, patterns in PROJECT["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    found = {path for package in PACKAGES for path in _data(ROOT / package)}
    assert found
    assert found == installed


def test_every_package_and_module_at_the_top_is_installed() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert folders == set(PACKAGES)
    assert {path.stem for path in ROOT.glob("*.py")} == set(PROJECT["py-modules"])
