"""Numbers, times and text as people read them."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.instants import iso
from domain.money import NANO
from reports.figures import csv_cell

UNKNOWN = "—"
NARROW = "\u00a0"
MINUS = "−"
_SPACE = re.compile(r"[ \t\r\n]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def usd(amount_nusd: int | None, *, sign: bool = False) -> str:
    """Dollars, short: `$38.77`, `$4,226`, `$42.1k`; unknown as a dash."""
    if amount_nusd is None:
        return UNKNOWN
    value = abs(amount_nusd) / NANO
    if value >= 99_950:
        text = f"{value / 1000:,.0f}k"
    elif value >= 9_995:
        text = f"{value / 1000:,.1f}k"
    elif value >= 99.995:
        text = f"{value:,.0f}"
    else:
        text = f"{value:,.2f}"
    return f"{_sign(amount_nusd, sign=sign)}${text}"


def usd_exact(amount_nusd: int | None) -> str:
    """Dollars to the cent, for hovers and tooltips."""
    return UNKNOWN if amount_nusd is None else f"{_sign(amount_nusd, sign=False)}${abs(amount_nusd) / NANO:,.2f}"


def percent(value: float | None, *, sign: bool = False) -> str:
    """A whole percentage; unknown as a dash."""
    return UNKNOWN if value is None else f"{_sign(value, sign=sign)}{abs(value):,.0f}%"


def ratio_percent(part: float, whole: float) -> float | None:
    """What percentage a part is of the whole; None where there is no whole."""
    return 100 * part / whole if whole else None


def _sign(value: float, *, sign: bool) -> str:
    return MINUS if value < 0 else "+" if sign and value > 0 else ""


def duration(seconds: float | None) -> str:
    """`47 min`, `11 h 17`, `2 d 3 h`, with spaces that do not break; unknown as a dash."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{int(seconds)}{NARROW}s"
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes}{NARROW}min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{NARROW}h{NARROW}{rest:02d}"
    return f"{hours // 24}{NARROW}d{NARROW}{hours % 24}{NARROW}h"


def ago(moment: datetime | None, now: datetime) -> str:
    """`41 s ago`, `3 min ago`; `never` for None."""
    if moment is None:
        return "never"
    return f"{duration(max(timedelta(0), now - moment).total_seconds())} ago"


def zone_named(name: str | None) -> ZoneInfo:
    """The viewer's zone, UTC where the browser tells none that we know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def size(number: int) -> str:
    """Bytes in the largest unit that fits, of 1024 each: `4.2 TiB`."""
    value, unit = float(number), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024 or unit == "PiB":
            break
        value /= 1024
    return f"{value:,.0f}{NARROW}{unit}" if unit == "B" or value >= 100 else f"{value:.1f}{NARROW}{unit}"


def short(number: int) -> str:
    """A count in few digits: `1,204` below 10k, `52.1k`, `3.4M`."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1000:,.1f}k" if number < 1_000_000 else f"{number / 1_000_000:,.1f}M"


def clock(moment: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the viewer's zone."""
    return UNKNOWN if moment is None else f"{moment.astimezone(zone):%-d %b %Y %H:%M}".replace(" ", NARROW)


def short_clock(moment: datetime | None, zone: ZoneInfo, today: date) -> str:
    """An instant in the viewer's zone, with the year only where it is another than today's."""
    if moment is None:
        return UNKNOWN
    local = moment.astimezone(zone)
    return (f"{local:%-d %b %H:%M}" if local.year == today.year else f"{local:%-d %b %Y}").replace(" ", NARROW)


def iso_text(moment: datetime | None) -> str:
    """ISO 8601 with Z as addresses hold it; empty where there is none."""
    return iso(moment) or ""


def utc(moment: datetime | None) -> str:
    """An instant in UTC, for hovers."""
    return UNKNOWN if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def day(value: date) -> str:
    """`8 Nov`."""
    return f"{value:%-d %b}".replace(" ", NARROW)


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 job`, `1,204 jobs`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def shown(text: str | None, limit: int = 400) -> str:
    """Text from AWS or people with what could hide or turn other text made visible, cut to what a line holds."""
    if text is None:
        return UNKNOWN
    visible = _CONTROL.sub("�", _SPACE.sub(" ", text))
    return visible if len(visible) <= limit else f"{visible[: limit - 1]}…"


def block(text: str, limit: int = 20_000) -> str:
    """Text of many lines from AWS or people, for a box that shows it as it is."""
    lines = [_CONTROL.sub("�", line.expandtabs(4)) for line in text.splitlines()]
    return "\n".join(lines)[:limit]


def cell(text: str | None, limit: int = 400) -> str:
    """Text from AWS or people in a table, from which the browser can save CSV: never a formula to a spreadsheet."""
    return str(csv_cell(shown(text, limit)))


def md(text: str) -> str:
    """Our own Markdown with dollar signs that stay dollar signs; parts of it that are already defused stay so."""
    return re.sub(r"(?<!\\)\$", r"\\$", text)


# Where Markdown makes an address or an e-mail of plain text a link, whatever is escaped in it.
_LINKS = re.compile(r"(?:https?|ftp|xmpp|mailto):|www(?=\.)|(?<=\w)@(?=\w)", re.IGNORECASE)
_JOINED = "\u2060"  # shows nothing, and parts what would be a link


def plain(text: str | None, limit: int = 400) -> str:
    """Text from AWS or people inside Markdown: every character that means something there is defused, and no address is a link."""
    parted = _LINKS.sub(lambda match: f"{match[0]}{_JOINED}", shown(text, limit))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~:$&])", r"\\\1", parted)


def label(text: str) -> str:
    """A name as a label of a button. Labels are Markdown and part of the address, so ordinary ids are left as they are."""
    return text if re.fullmatch(r"[\w .\-]+", text) and "__" not in text else plain(text, 60)


def html(text: str) -> str:
    """Text inside a Plotly figure, which reads some HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
