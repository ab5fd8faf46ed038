"""Text that came from AWS or from people, made storable: it stays data, and it can never stop a collection."""

from typing import Any

COLUMN_LIMIT = 1024
_TRANSLATION = {0: "�"}


def storable(text: str, limit: int = COLUMN_LIMIT) -> str:
    """The text as every database takes it: no NUL (PostgreSQL refuses it), no lone surrogates, at most `limit` long."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.translate(_TRANSLATION)[:limit] if "\0" in text else text[:limit]


def visible(text: str, keep: str = "\n\t") -> str:
    """The text with whatever a terminal obeys, or what hides or turns other text, shown as a box: controls, C1, bidi, zero-width."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in keep else "\ufffd" for character in text)


def storable_tree(value: Any) -> Any:
    """A JSON-like value with every text in it made storable, at any depth and of any length; huge integers become text."""
    if isinstance(value, str):
        return storable(value, limit=len(value))
    if isinstance(value, dict):
        return {storable_tree(key): storable_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_tree(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value
