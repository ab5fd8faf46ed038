"""Names the server answers to, and pages that may talk to it."""

import pytest

from settings import Settings
from ui.edge import Edge, edge_of

SETTINGS = Settings.model_validate(
    {
        "notify": {"base_url": "https://trainwatch.acme.example/costs"},
        "access": {"hosts": ["Dash.acme.example", "10.0.0.7"], "metrics_token": "a-token-of-the-monitoring"},
    }
)
EDGE = edge_of(SETTINGS)
PLAIN = edge_of(Settings())


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8501",
        "LOCALHOST",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]:8501",
        "trainwatch.acme.example",
        "dash.ACME.example:80",
        "10.0.0.7",
    ],
)
def test_it_answers_to_loopback_and_to_the_names_of_its_settings(host: str) -> None:
    assert EDGE.answers_to(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost.evil.example",
        "acme.example",
        "x.trainwatch.acme.example",
        "trainwatch.acme.example@evil.example",
        "localhost, evil.example",
        "localhost:99999",
        "localhost:x",
        "localhost/",
        "[::2]",
        "::1",
        "0.0.0.0:8501",
        "10.0.0.8",
        "2130706433",
    ],
)
def test_it_answers_to_nothing_else(host: str | None) -> None:
    assert not EDGE.answers_to(host)


def test_without_settings_it_answers_to_loopback_alone() -> None:
    assert Edge(frozenset(), frozenset()) == PLAIN


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("http://localhost:8501", "localhost:8501"),
        ("http://[::1]:8501", "[::1]:8501"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://trainwatch.acme.example", "trainwatch.acme.example"),
        ("https://trainwatch.acme.example", "localhost:8501"),  # a proxy that rewrites Host
        ("https://trainwatch.acme.example:443", "trainwatch.acme.example"),
        ("http://trainwatch.acme.example:8501", "trainwatch.acme.example:8501"),  # without the proxy
        ("http://dash.acme.example", "dash.acme.example"),
        ("https://dash.acme.example", "dash.acme.example"),
    ],
)
def test_its_own_pages_are_those_of_the_name_and_port_asked_for_and_of_configured_addresses(page: str, host: str) -> None:
    assert EDGE.owns(page, host)


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("http://localhost:3000", "localhost:8501"),
        ("http://127.0.0.1:8501", "localhost:8501"),
        ("http://localhost", "localhost:8501"),
        ("https://localhost", "localhost:80"),
        ("http://trainwatch.acme.example", "trainwatch.acme.example"),  # its scheme is https
        ("https://trainwatch.acme.example:8443", "trainwatch.acme.example"),
        ("https://evil.example", "trainwatch.acme.example"),
        ("https://trainwatch.acme.example.evil.example", "trainwatch.acme.example"),
        ("https://trainwatch.acme.example@evil.example", "trainwatch.acme.example"),
        ("null", "localhost:8501"),
        ("", "localhost:8501"),
        ("file://", "localhost:8501"),
        ("chrome-extension://localhost:8501", "localhost:8501"),
        ("http://localhost:8501/x", "localhost:8501"),
        ("http://localhost:8501", ""),
    ],
)
def test_no_other_page_is_its_own(page: str, host: str) -> None:
    assert not EDGE.owns(page, host)


def test_the_default_address_in_messages_opens_nothing_for_another_server_of_this_machine() -> None:
    assert not PLAIN.owns("http://localhost:8501", "localhost:8502")


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("Bearer a-token-of-the-monitoring", True),
        ("bearer  a-token-of-the-monitoring", True),
        ("Bearer a-token-of-the-monitorinG", False),
        ("Basic a-token-of-the-monitoring", False),
        ("Bearer ", False),
        (None, False),
    ],
)
def test_a_bearer_token_is_compared_whole(header: str | None, *, fits: bool) -> None:
    assert EDGE.shows_token(header) is fits
    assert not PLAIN.shows_token(header)
