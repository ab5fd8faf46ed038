"""The channels of settings: whom each reaches, and the one place that speaks to Apprise. No URL leaves this file but to Apprise itself."""

import hashlib
import logging
import re
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from settings import Settings
from storage.messages import ON_CALL

SCHEME = re.compile(r"^([a-z0-9]{1,20})://", re.IGNORECASE)
PARTS = re.compile(r"[/:@?&=,;#+\s]+")
SHORTEST_SECRET, LONG_SECRET = 3, 8  # characters; a long one is looked for inside words too
log = logging.getLogger("trainwatch.worker")


class Channels:
    """Who is reached by which channel; a channel's name is a digest of its URL."""

    def __init__(self, settings: Settings) -> None:
        self._on_call = _named(settings.notify.on_call)
        self._teams = {team.id.casefold(): _named(team.notify) for team in settings.teams}
        self._urls = {name: url for urls in (self._on_call, *self._teams.values()) for name, url in urls.items()}

    def __bool__(self) -> bool:
        """Whether there is any channel."""
        return bool(self._urls)

    def reaching(self, team: str | None) -> dict[str, str]:
        """The channels that a team's message goes to, each with its audience: on call, which hears of everything, then the team's own."""
        own = {} if team is None else dict.fromkeys(self._teams.get(team.casefold(), {}), team)
        return own | dict.fromkeys(self._on_call, ON_CALL)  # a channel that is both is on call's, for the quiet hours

    def url(self, channel: str) -> str | None:
        """The URL of a channel; None where settings have none of that name (any more)."""
        return self._urls.get(channel)


def check_channels(settings: Settings) -> list[tuple[str, bool, str]]:
    """For each channel of settings its audience, whether Apprise understands its URL, and that in words; nothing is sent."""
    audiences = [(ON_CALL, settings.notify.on_call), *((team.id, team.notify) for team in settings.teams)]
    return [(audience, *_checked(number, url)) for audience, urls in audiences for number, url in enumerate(urls, 1)]


def send_by_apprise(url: str, severity: str, title: str, body: str) -> str:
    """Sends a message, in as long as the channel takes; empty when it got through, else why not in words, without the URL.

    Raises whatever Apprise does, which may have the URL in its text.
    """
    apprise = _apprise()
    channel = _channel(url)
    if channel is None:
        return "Apprise does not understand its URL; see trainwatch doctor"
    if channel.overflow_mode == apprise.OverflowMode.UPSTREAM:  # a message that is too long would be refused whole, again and again
        channel.overflow_mode = apprise.OverflowMode.TRUNCATE
    sender = apprise.Apprise(asset=channel.asset)
    sender.add(channel)
    kind = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}.get(severity, apprise.NotifyType.INFO)
    with sender.notify(title=title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT) as result:
        if result:
            return ""
        said = " ".join(entry.message for entry in result.logs()) or "it was not accepted"
    return f"{channel.service_name}: {without_secrets(said, url)}"


def without_secrets(text: str, url: str) -> str:
    """The text on one line, with stars for every part of the URL that stands in it."""
    rest = SCHEME.sub("", url)
    parts = {part for form in (rest, unquote(rest)) for part in PARTS.split(form) if len(part) >= SHORTEST_SECRET}
    line = " ".join(text.split())
    for part in sorted(parts, key=len, reverse=True):
        pattern = re.escape(part) if len(part) >= LONG_SECRET else rf"(?<![a-z0-9]){re.escape(part)}(?![a-z0-9])"
        line = re.sub(pattern, "***", line, flags=re.IGNORECASE)
    return line


def channel_name(url: str) -> str:
    """What a channel is called in the database, in logs and on pages."""
    return hashlib.sha256(url.strip().encode()).hexdigest()[:12]


def _named(urls: list[str]) -> dict[str, str]:
    return {channel_name(url): url for url in urls}


def _checked(number: int, url: str) -> tuple[bool, str]:
    channel, scheme = _channel(url), SCHEME.match(url)
    named = f"channel {number} ({channel_name(url)})"
    if channel is not None:
        return True, f"{named}: {channel.service_name}"
    kind = f" that begins with {scheme[1]}:" if scheme else ""
    return False, f"{named}: Apprise does not understand the URL{kind}; see docs/notifications.md"


def _channel(url: str) -> Any:
    """Apprise's channel of a URL, which sends in the caller's own thread; None where it understands it not."""
    apprise = _apprise()
    return apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(async_mode=False, service_timeout=0))


@cache
def _apprise() -> ModuleType:
    """Apprise, imported when it is first needed: it takes half a second and 20 MB. Its log, where URLs may stand, is not ours."""
    import apprise

    quiet = logging.getLogger("apprise")
    quiet.propagate = False
    quiet.setLevel(logging.WARNING)
    quiet.addHandler(logging.NullHandler())
    return apprise
