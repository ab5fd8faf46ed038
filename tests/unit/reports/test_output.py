"""What leaves for terminals and spreadsheets: text stays text, whatever AWS or people have put into it."""

import csv
import io
import json
import logging
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from commands.frame import Failed, confirm, say
from reports.figures import csv_cell
from reports.logs import SafeFormatter
from reports.output import as_csv, as_json, print_pairs, print_table

ROOT = Path(__file__).parents[3]
# Clear the screen, set the title, ring, an OSC 8 link, C1's own CSI and OSC, turned text, what shows nothing, a backspace.
OBEYED = "a\x1b[2Jb\x1b]0;x\x07c\x1b]8;;https://evil.example\x1b\\d\x9b31me\x9d0;xf\u202eg\u2066h\u200bi\x08j\x00k\x7f\u2028l\ufeff"
SIGNS = "=+-@＝＋－＠"


def obeyed_in(text: str) -> list[str]:
    """What a terminal would obey, or not show, in a text of several lines."""
    return [character for character in text if not character.isprintable() and character not in "\n\t"]


def test_tables_and_pairs_show_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": OBEYED, "tags": {OBEYED: [OBEYED]}}], ("name", "tags"), OBEYED)
    print_pairs({"name": OBEYED, "list": [{"a": OBEYED}]})
    assert obeyed_in(capsys.readouterr().out) == []


def test_json_and_csv_show_nothing_either_and_json_is_still_the_same() -> None:
    data = {"name": OBEYED, OBEYED: "ü — 日本"}
    text = as_json(data)
    assert obeyed_in(text) == []
    assert "ü — 日本" in text
    assert json.loads(text) == data
    assert obeyed_in(as_csv([{"a": OBEYED}], ("a",))) == []


def test_words_questions_and_errors_on_stderr_show_nothing_either(capsys: pytest.CaptureFixture[str]) -> None:
    say(OBEYED)
    Failed(OBEYED).show()
    assert obeyed_in(capsys.readouterr().err) == []
    with CliRunner().isolation(input="n\n") as (_out, err, _both):
        confirm(OBEYED)
        asked = err.getvalue().decode()
    assert "a" in asked
    assert obeyed_in(asked) == []


def test_lines_of_the_log_show_nothing_either() -> None:
    record = logging.LogRecord("trainwatch", logging.ERROR, __file__, 1, "failed: %s", (OBEYED,), None)
    assert obeyed_in(SafeFormatter("%(message)s").format(record)) == []


def test_commands_speak_through_the_frame_alone() -> None:
    for path in [ROOT / "cli.py", *(ROOT / "commands").glob("*.py")]:
        bare = re.findall(r"click\.(?:echo|secho|confirm|prompt)\(.*", path.read_text(encoding="utf-8"))
        assert all("as_json" in call or "json.dumps" in call or path.name == "frame.py" for call in bare), (path, bare)


@pytest.mark.parametrize("before", ["", " ", "  \t", "\xa0", "\u2003", "\u200b", "\ufeff", "\u202e", "\x00", "\r\n", "\u2060 \u200d"])
@pytest.mark.parametrize("sign", list(SIGNS))
def test_a_formula_is_none_even_behind_what_shows_nothing(before: str, sign: str) -> None:
    assert csv_cell(f"{before}{sign}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("text", ["plain", "a=b", " padded", "1-2", "日本", ""])
def test_ordinary_cells_stay_as_they_are(text: str) -> None:
    assert csv_cell(text) == text


@given(st.text(max_size=30))
def test_no_text_at_all_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(as_csv([{"a": text}], ("a",)).split("\n", 1)[1].removesuffix("\n") or '""'))
    shown = "".join(row).lstrip(" \t\r\n\xa0\u200b\ufeff")
    assert shown[:1] not in set(SIGNS)
