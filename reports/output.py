"""A report in the form asked for: a table for people, JSON or CSV for programs."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from domain.text import visible
from reports.figures import csv_cell

WIDE = 250  # columns, where the output is no terminal whose width counts
_NAMES = ("name", "team", "check", "arn")


def as_json(data: Any) -> str:
    """JSON on one line, in which what a terminal would obey is written as an escape."""
    text = json.dumps(data, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """CSV of the columns with a header; no cell is taken for a formula, lists and maps are JSON."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(_flat(row.get(name))) for name in columns] for row in rows)
    return buffer.getvalue()


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], title: str = "", total: Mapping[str, Any] | None = None) -> None:
    """A table on stdout: numbers to the right, unknown as a dash, whatever the text holds shown as text."""
    shown = [*rows, *([total] if total else [])]
    table = Table(title=_plain(title) or None, title_justify="left", box=None, header_style="bold")
    for name in columns:
        number = any(isinstance(row.get(name), int | float) and not isinstance(row.get(name), bool) for row in shown)
        table.add_column(name.replace("_", " "), justify="right" if number else "left", no_wrap=name in _NAMES)
    for row in shown:
        table.add_row(*(_cell(name, row.get(name, "total" if name == columns[0] else "")) for name in columns))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def print_pairs(data: Mapping[str, Any]) -> None:
    """One thing on stdout, a line a member; lists of things as a line each."""
    table = Table(box=None, show_header=False)
    for name, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping) and name != "instances":
            for number, item in enumerate(value):
                table.add_row(name.replace("_", " ") if number == 0 else "", "  ".join(_cell(key, part) for key, part in item.items()))
        else:
            table.add_row(name.replace("_", " "), _cell(name, value))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _cell(name: str, value: Any) -> str:
    """A table's cell; unknown is shown as unknown."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if name == "instances" and isinstance(value, list):
        return _plain(", ".join(f"{one['instance_type']} × {one['count']}" for one in value))
    return _plain(str(_flat(value)))


def _plain(text: str) -> str:
    """Text with control characters made visible and Rich's own markup defused."""
    return visible(text, keep="").replace("[", "\\[")
