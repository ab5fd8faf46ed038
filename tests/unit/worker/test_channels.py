"""What Apprise understands, whom channels reach, and that no part of a URL gets out."""

from typing import Any

import pytest

from settings import Settings
from worker.channels import Channels, channel_name, check_channels, send_by_apprise, without_secrets


def _settings(called: list[str], **teams: list[str]) -> Settings:
    sections: dict[str, Any] = {"notify": {"on_call": called}, "teams": [{"id": name, "notify": urls} for name, urls in teams.items()]}
    return Settings.model_validate(sections)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ml-alerts", "Slack"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("workflows://prod-161.westeurope.logic.azure.com:443/643e69f83c8944438d68119179a10a64/KODuebWbDGYFr0z0eu", "Power Automate"),
        ("mailtos://user:password@example.com?smtp=mail.example.com&to=ml-team@example.com", "E-Mail"),
        ("pagerduty://0123456789abcdef0123456789abcdef@ABCD1234", "Pager Duty"),
        ("json://localhost:8080/path", "JSON"),
    ],
)
def test_doctor_says_which_service_a_url_is_for(url: str, service: str) -> None:
    ((audience, ok, words),) = check_channels(_settings([url]))
    assert (audience, ok) == ("on_call", True)
    assert words.startswith(f"channel 1 ({channel_name(url)}): {service}")


@pytest.mark.parametrize("url", ["nonsense://token/secret", "token-secret", "slack://secret", "", "secret:word"])
def test_doctor_says_what_apprise_does_not_understand_without_the_url(url: str) -> None:
    ((audience, ok, words),) = check_channels(_settings([], rc=[url]))
    assert (audience, ok) == ("rc", False)
    assert "does not understand" in words
    assert "secret" not in words
    assert "does not understand" in send_by_apprise(url, "info", "title", "body")


def test_without_channels_there_is_nothing_to_check() -> None:
    assert check_channels(Settings()) == []
    assert not Channels(Settings())


def test_a_team_is_reached_by_its_own_channels_and_those_of_on_call() -> None:
    channels = Channels(_settings(["json://call"], rc=["json://rc", "json://call"], on_call=["json://odd"]))
    call, own, odd = (channel_name(f"json://{host}") for host in ("call", "rc", "odd"))
    assert channels.reaching("RC") == {own: "RC", call: "on_call"}
    assert channels.reaching("nobody") == channels.reaching(None) == {call: "on_call"}
    assert channels.reaching("on_call") == {odd: "on_call", call: "on_call"}  # a team may be called so
    assert channels.url(own) == "json://rc"
    assert channels.url("gone") is None


@pytest.mark.parametrize(
    ("text", "url", "safe"),
    [
        (
            "Failed to send Slack notification to #alerts: error=403.",
            "slack://T1/B1/x/#alerts",
            "Failed to send Slack notification to #***: error=403.",
        ),
        ("no host HOOKS.example.com\r\nfor  olga", "json://olga:pw@hooks.example.com/a", "no host *** for ***"),
        ("at https://x.com/a%2Fbcd/efg?sig=q1w2", "https://x.com/a%2Fbcd/efg?sig=q1w2", "at https://***/***/***?***=***"),
        ("Failed within abcdefgh1-x", "json://fail/abcdefgh1", "Failed within ***-x"),
        ("token abc/def", "json://host/abc%2Fdef", "token ***/***"),
    ],
)
def test_every_part_of_a_url_is_starred_out(text: str, url: str, safe: str) -> None:
    assert without_secrets(text, url) == safe
