"""Secrets inside of a text: credentials of addresses, headers, assignments, tokens; the rest of the text stays readable."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from domain.secret_forms import DOTTED, FORMS, MARKERS, SECRET_KEY, looks_random
from domain.secret_names import suspicion
from domain.text import COLUMN_LIMIT, storable

MASK = "***"

# Words without which no text has an assignment, a header or an address to be masked; in lower case.
_HINTS = (
    "auth",
    "basic ",
    "bearer",
    "begin ",
    "conn",
    "cookie",
    "creden",
    "creds",
    "cred=",
    'cred"',
    "dsn",
    "jwt",
    "key",
    "otp",
    "pass",
    "pat=",
    'pat"',
    "psw",
    "pw",
    "sas=",
    'sas"',
    "sharedaccess",
    "secret",
    "session",
    "sig",
    "token",
    "webhook",
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.DOTALL
)
_BARE_KEY = re.compile(r"(?:BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File).*", re.DOTALL)
# A user and a password, or either, before a host. A port with a path behind it is neither, and `git` is nobody's secret.
_USER_INFO = re.compile(
    r"(?P<scheme>(?:[A-Za-z][A-Za-z0-9+.\-]*)?://)(?!git@)(?P<user>[^\s/@:\"'<>?#]*(?::(?!\d{1,5}[/?#])[^\s@\"'<>]*)?)@"
)
_AUTHORIZATION = re.compile(r"(?i)\b(?P<head>(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:[a-z0-9\-]+\s+)?)(?P<value>[^\s\"',;]+)")
_COOKIE = re.compile(r"(?i)\b(?P<head>(?:set-)?cookie[\"']?\s*:\s*[\"']?)(?P<value>[^\r\n\"']+)")
_BEARER = re.compile(r"\b(?P<head>(?i:bearer|basic)\s+)(?P<value>(?=[a-z]*[0-9A-Z~+/=])[A-Za-z0-9._~+/=\-]{8,})")
_VALUE = r"(?P<value>\\*\"(?:[^\"\\]|\\[^\"])*\\*\"|\\*'(?:[^'\\]|\\[^'])*\\*'|[^\s;\"']+)"
_ASSIGNMENT = re.compile(
    r"(?:(?<=\\)[nrt])?(?P<name>[A-Za-z_][\w.\-]{0,80}(?:\s(?:[Kk]ey|[Ii]d))?)(?P<sep>\\*[\"']?\s*(?:=>|:=|==|=|:(?!//))\s*)" + _VALUE
)
_QUERY = re.compile(r"(?P<name>(?<=[?&])[\w.\-%]{1,80})(?P<sep>=)(?P<value>[^\s&\"'<>#]+)")
_OPTION = re.compile(r"(?P<name>(?<![\w\-])--?[A-Za-z][\w.\-]{0,80})(?P<sep>\s+)(?P<value>\"[^\"]*\"|'[^']*'|(?!-)[^\s\"']+)")
# Most texts have no capital letter, and many no underscore: these markers are then not looked for.
_UPPER_MARKERS = tuple(marker for marker in MARKERS if marker.lower() != marker)
_LINED_MARKERS = tuple(marker for marker in MARKERS if marker.lower() == marker and "_" in marker)
_PLAIN_MARKERS = tuple(marker for marker in MARKERS if marker.lower() == marker and "_" not in marker)
_DOTS = re.compile(r"\.[\w\-]{6}\.[\w\-]{27}")
_QUOTES = re.compile(r"^(\\*[\"']?)(.*?)(\\*[\"']?)$", re.DOTALL)
_NOTHING = frozenset({"", "true", "false", "none", "null", "nil", "yes", "no", "0", "1", MASK, "[]", "{}"})
_IDENTIFIES = re.compile(r"(?i)arn:aws[\w\-]*:[^\s\"']+")
_TOKEN_LIKE = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~+/=\-]{12,}")


def masked_text(text: str) -> str:
    """The text with stars for every secret in it that its form or its neighbourhood gives away. Doing it twice is doing it once."""
    if not is_suspect(text):
        return text
    for pattern, replace in _STEPS:
        text = pattern.sub(replace, text)
    for pattern in _ASSIGNMENTS:
        text = _without_assigned(text, pattern)
    for form in FORMS:
        if form.marker in text:
            text = form.pattern.sub(MASK, text)
    text = DOTTED.sub(MASK, text)
    return SECRET_KEY.sub(lambda key: MASK if looks_random(key[0]) else key[0], text)


def storable_words(text: str, limit: int = COLUMN_LIMIT) -> str:
    """Words of an error or of a person as they are kept: without secrets, then as every database takes them."""
    return storable(masked_text(text), limit)


def masked_tree(value: Any) -> Any:
    """A JSON-like value with every string in it masked by its form; names are left as they are."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {name: masked_tree(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [masked_tree(inside) for inside in value]
    return value


def is_suspect(text: str) -> bool:
    """Whether a text may hold a secret at all; quick, and rather once too often."""
    lower = text.lower()
    return (
        _has_any(lower, _HINTS)
        or _has_any(text, _PLAIN_MARKERS)
        or ("_" in text and _has_any(text, _LINED_MARKERS))
        or (lower != text and _has_any(text, _UPPER_MARKERS))
        or ("@" in text and _USER_INFO.search(text) is not None)
        or SECRET_KEY.search(text) is not None
        or (_DOTS.search(text) is not None and DOTTED.search(text) is not None)
    )


def _has_any(text: str, parts: tuple[str, ...]) -> bool:
    for part in parts:  # noqa: SIM110 - a generator takes twice as long, and every new string comes through here
        if part in text:
            return True
    return False


def is_harmless(value: str) -> bool:
    """Whether a value is no secret even under a name that says so: nothing, yes or no, stars, or what only identifies."""
    bare = value.strip().strip("\\\"'").strip()
    return bare.lower() in _NOTHING or _IDENTIFIES.fullmatch(bare) is not None


def _user_info(match: re.Match[str]) -> str:
    return f"{match['scheme']}{MASK}@"


def _headed(match: re.Match[str]) -> str:
    return match[0] if match["value"] == MASK else f"{match['head']}{MASK}"


def _without_assigned(text: str, pattern: re.Pattern[str]) -> str:
    """The text with stars for the values of names that say they are secrets. A value may itself hold a name and a value."""
    parts, position = list[str](), 0
    while match := pattern.search(text, position):
        within_arn = match["sep"] == ":" and text[: match.start()].endswith(":")
        stars = None if within_arn else _stars_for(match["name"], match["value"])
        if stars is None:
            end = match.end("sep")
            parts.append(text[position:end])
        else:
            end = match.end()
            parts.append(text[position : match.start("value")] + stars)
        position = end
    return "".join([*parts, text[position:]]) if parts else text


def _stars_for(name: str, value: str) -> str | None:
    """What stands for a value, its quotes kept; None where it stays. Behind a weak name only what looks like a token goes."""
    says = suspicion(name)
    if says is None or is_harmless(value) or value.startswith(MASK) or (says == "weak" and not _TOKEN_LIKE.search(value)):
        return None
    quotes = _QUOTES.match(value)
    return f"{quotes[1]}{MASK}{quotes[3]}" if quotes else MASK


_STEPS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_PRIVATE_KEY, lambda _match: MASK),
    (_BARE_KEY, lambda _match: MASK),
    (_USER_INFO, _user_info),
    (_AUTHORIZATION, _headed),
    (_COOKIE, _headed),
    (_BEARER, _headed),
)
_ASSIGNMENTS = (_QUERY, _ASSIGNMENT, _OPTION)
