"""How long the script of each page takes, warm, on a large database."""

import os
import time
from pathlib import Path
from statistics import median

from streamlit.testing.v1 import AppTest

from settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = ("overview", "team_cost", "jobs", "collectors")
ROUNDS = 7
LIMIT_MS = 200


def page_scripts(database: Path, settings: Settings) -> list[tuple[str, str, str, bool]]:
    """A row for the table: the slowest page's script, the median of some runs after the first."""
    config = database.with_suffix(".toml")
    teams = "".join(f'[[teams]]\nid = "{team.id}"\nprojects = {team.projects}\n' for team in settings.teams)
    config.write_text(f'[database]\nurl = "sqlite:///{database}"\n[conventions]\ncompany = "acme"\n{teams}')
    os.environ["TRAINWATCH_CONFIG"] = str(config)
    took = {page: _milliseconds(page) for page in PAGES}
    slowest = max(took, key=lambda page: took[page])
    words = ", ".join(f"{page.replace('_', ' ')} {milliseconds:.0f}" for page, milliseconds in took.items())
    return [("Slowest page's script, warm", f"{took[slowest]:.0f} ms ({words})", f"≤ {LIMIT_MS} ms", took[slowest] <= LIMIT_MS)]


def _milliseconds(page: str) -> float:
    test = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120)
    times = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        test.run()
        times.append((time.perf_counter() - started) * 1000)
        assert not test.exception, test.exception
    return median(times[1:])
