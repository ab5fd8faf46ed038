"""docs/settings.md, made from the declarations in settings.py: `python -m tests.docs.settings_table` writes it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from settings import Settings

TARGET = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

`trainwatch.toml` in the current folder, or the file that `--config` or `TRAINWATCH_CONFIG` names. Everything is optional. Any
value can come from the environment as `TRAINWATCH_<SECTION>__<KEY>`, and `${NAME}` inside a string is read from the environment.
An unknown key or a wrong type stops start-up with the line, the key and what was expected. This page is made from the declarations
in `settings.py`.
"""


def table() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, section in Settings.model_fields.items():
        parts.append(_section(name, section.annotation))
    return "\n".join(parts)


def _section(name: str, annotation: Any) -> str:
    inner = getattr(annotation, "__args__", None)
    model: type[BaseModel] = inner[0] if inner else annotation
    header = f"[[{name}]]" if inner else f"[{name}]"
    rows, nested = [], []
    for key, field in model.model_fields.items():
        of_list = next((one for one in getattr(field.annotation, "__args__", ()) if _is_model(one)), None)
        if of_list:
            nested.append(_section(f"{name}.{key}", field.annotation))
        else:
            rows.append(f"| `{key}` | {_default(field)} | {field.description} |")
    lines = [f"## `{header}`", "", (model.__doc__ or "").strip(), ""]
    lines += ["| key | default | meaning |", "| --- | --- | --- |", *rows, ""] if rows else []
    return "\n".join(lines + nested)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default if field.default is not PydanticUndefined else field.default_factory()
    return "none" if value is None else f"`{value}`" if value != "" else '`""`'


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
