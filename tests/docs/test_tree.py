"""The tree that others use: no binaries, nothing large, what a repository has, and requirements that say exactly what is installed."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = 500_000
PICTURES = (".png", ".svg", ".woff2")
DATA = (".zdict",)  # what stored descriptions are compressed against
MADE = {".venv", "var", "build", "__pycache__", ".git", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def files() -> list[Path]:
    """What git tracks; every file that nothing makes where there is no git."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not MADE & set(path.relative_to(ROOT).parts)]


def test_no_file_is_larger_than_half_a_megabyte_but_pictures_of_the_docs() -> None:
    large = [path for path in files() if path.stat().st_size > LARGEST]
    assert [path for path in large if not (path.suffix == ".png" and path.is_relative_to(ROOT / "docs"))] == []


def test_no_file_is_a_binary_but_pictures_fonts_and_the_dictionary() -> None:
    kept = [path for path in files() if path.suffix not in (*PICTURES, *DATA)]
    assert [path for path in kept if b"\0" in path.read_bytes()] == []
    assert [path for path in files() if path.suffix in (".whl", ".so", ".zip", ".gz", ".pyc", ".db")] == []


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "SECURITY.md",
        "CONTRIBUTING.md",
        ".editorconfig",
        ".pre-commit-config.yaml",
        ".github/workflows/ci.yml",
        "deploy/compose.yaml",
    ],
)
def test_what_a_repository_has_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


def _blocks(name: str) -> dict[str, str]:
    """Requirements by name, each with all of its lines."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / name).read_text(encoding="utf-8"))
    entries = re.split(r"\n(?=[A-Za-z])", text.strip())
    return {re.split(r"[=\[ ]", entry, maxsplit=1)[0].lower().replace("_", "-"): entry for entry in entries}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt", "requirements-build.txt"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    blocks = _blocks(name)
    assert [block for block in blocks.values() if not re.match(r"[\w.\-]+(\[[\w,]+\])?==\S+", block) or "--hash=sha256:" not in block] == []
    assert "http" not in "".join(line for block in blocks.values() for line in block.splitlines() if "==" not in line)


def test_the_product_needs_nothing_of_the_simulated_account() -> None:
    product, demo = _blocks("requirements.txt"), _blocks("requirements-demo.txt")
    assert not {"moto", "flask", "flask-cors", "responses"} & product.keys()
    assert {"moto", "flask"} <= demo.keys()
    assert {name: block for name, block in product.items() if demo.get(name) != block} == {}


def test_the_ranges_are_in_the_project_and_every_one_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "Private :: Do Not Upload" in project["classifiers"]
    names = {re.split(r"[\[<>=]", requirement)[0].lower() for requirement in project["dependencies"]}
    assert names <= _blocks("requirements.txt").keys()


def test_the_changelog_has_the_release_that_the_project_is() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"(?m)^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_image_has_neither_the_demo_nor_tests() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"demo", "tests", ".git"} <= set(left_out)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install [^\n&]*", dockerfile)
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs), installs
