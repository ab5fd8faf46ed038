"""Sign-in in a real browser, against a real OpenID Connect provider that the test starts."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import oidc_provider_mock
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.databases import migrated
from tests.e2e.conftest import FLAGS, PATIENCE, _executable, _wait
from tests.e2e.proxy import forwarding
from tests.filled import settings_text

pytestmark = pytest.mark.browser
PEOPLE: dict[str, dict[str, Any]] = {
    "sub-olga": {"email": "Olga@Example.com", "email_verified": True, "name": "Olga"},
    "sub-greta": {"email": "greta@example.com", "groups": ["everybody", "ml-ops"]},
    "sub-many": {"email": "many@example.com", "groups": [f"{number:036}" for number in range(300)] + ["ml-ops"]},
    "sub-nobody": {"email": "nobody@example.com", "groups": {"of": "no shape"}},
    "sub-fraud": {"email": "olga@example.com", "email_verified": False, "preferred_username": "olga@example.com"},
}
ACCESS = """
[access]
public_role = "{public}"
[[access.people]]
email = "olga@example.com"
role = "operator"
teams = ["rc", "nlp"]
[[access.groups]]
value = "ml-ops"
role = "admin"
"""
SIGN_IN = """
[sign_in]
metadata_url = "{provider}/.well-known/openid-configuration"
client_id = "trainwatch"
client_secret = "invented"
redirect_uri = "{address}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider that knows some people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider insists on HTTPS otherwise
        with oidc_provider_mock.run_server_in_thread() as server:
            address = f"http://localhost:{server.server_port}"
            for subject, claims in PEOPLE.items():
                httpx2.put(f"{address}/users/{quote(subject)}", json=claims).raise_for_status()
            yield address


@contextmanager
def served(
    folder: Path, provider: str | None, *, public: str = "viewer", address: str = "127.0.0.1", port: int = 0, access: str = ACCESS
) -> Iterator[str]:
    """The dashboard on an empty database, with sign-in at the provider if there is one; gives its address."""
    url = f"sqlite:///{folder / 'x.db'}"
    migrated(url).dispose()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        port = probe.getsockname()[1]
    here = f"http://127.0.0.1:{port}"
    sign_in = SIGN_IN.format(provider=provider, address=here) if provider else ""
    (folder / "trainwatch.toml").write_text(settings_text(url) + access.format(public=public) + sign_in)
    command = [sys.executable, "-m", "app", "--port", str(port), "--address", address]
    process = subprocess.Popen(command, cwd=folder, env=os.environ | {"TRAINWATCH_CONFIG": str(folder / "trainwatch.toml")})
    try:
        _wait(f"{here}/healthz")
        yield here
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Iterator[str]:
    """A dashboard with sign-in, which shows visitors everything."""
    with served(tmp_path_factory.mktemp("open"), provider) as address:
        yield address


def sidebar(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar")


def sign_in(page: Page, subject: str) -> None:
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def test_whoever_has_not_signed_in_is_a_visitor_and_may_sign_in(dashboard: str, page: Page) -> None:
    page.goto(f"{dashboard}/team-cost")
    expect(page.get_by_role("heading", name="What did each team spend, on what?")).to_be_visible()
    expect(sidebar(page).get_by_text("Not signed in")).to_be_visible()
    expect(sidebar(page).get_by_text("viewer", exact=True)).to_be_visible()
    expect(sidebar(page).get_by_role("button", name="Sign in")).to_be_visible()


def test_an_operator_by_address_sees_name_and_teams_until_signing_out(dashboard: str, page: Page) -> None:
    page.goto(dashboard)
    sign_in(page, "sub-olga")
    expect(sidebar(page).get_by_text("Olga@Example.com", exact=True)).to_be_visible()
    expect(sidebar(page).get_by_text("operator of nlp, rc", exact=True)).to_be_visible()
    page.goto(f"{dashboard}/jobs")  # a new visit of the same browser
    expect(sidebar(page).get_by_text("operator of nlp, rc", exact=True)).to_be_visible()
    sidebar(page).get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()  # the provider asks
    for _ in range(2):
        expect(sidebar(page).get_by_text("Not signed in")).to_be_visible()
        expect(sidebar(page).get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_text("Sign-in did not succeed")).not_to_be_visible()
        page.goto(f"{dashboard}/jobs")


@pytest.mark.parametrize(
    ("subject", "name", "role"),
    [
        ("sub-greta", "greta@example.com", "admin"),
        ("sub-many", "many@example.com", "admin"),
        ("sub-nobody", "nobody@example.com", "viewer"),
        ("sub-fraud", "olga@example.com (sub-fraud)", "viewer"),
    ],
)
def test_roles_of_somebody_by_group_among_many_groups_unknown_and_of_an_address_not_verified(
    dashboard: str,
    page: Page,
    subject: str,
    name: str,
    role: str,
) -> None:
    page.goto(dashboard)
    sign_in(page, subject)
    expect(sidebar(page).get_by_text(name, exact=True)).to_be_visible()
    expect(sidebar(page).get_by_text(role, exact=True)).to_be_visible()


def test_a_sign_in_that_is_refused_says_so(dashboard: str, page: Page) -> None:
    page.goto(dashboard)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("Sign-in did not succeed")).to_be_visible()
    expect(page).not_to_have_url(re.compile("sign_in="))
    expect(sidebar(page).get_by_text("Not signed in")).to_be_visible()


@pytest.mark.parametrize("way", ["/oauth2callback?code=made-up&state=made-up", "/auth/login?provider=made-up", "/oauth2callback"])
def test_addresses_of_the_sign_in_that_are_made_up_lead_home(dashboard: str, page: Page, way: str) -> None:
    page.goto(f"{dashboard}{way}")
    expect(sidebar(page).get_by_text("Not signed in")).to_be_visible()
    assert "Traceback" not in page.content()


def test_without_a_public_role_there_is_nothing_but_the_way_in(tmp_path: Path, provider: str, page: Page) -> None:
    with served(tmp_path, provider, public="none") as address:
        for path in ("", "/team-cost", "/job?job=x"):
            page.goto(f"{address}{path}")
            expect(page.get_by_text("shown to people who have signed in")).to_be_visible()
            expect(page.get_by_role("button", name="Sign in")).to_have_count(1)
            expect(page.get_by_text("Team cost")).to_have_count(0)
            expect(page.get_by_role("heading")).to_have_count(0)
        sign_in(page, "sub-nobody")
        expect(sidebar(page).get_by_text("Team cost")).to_be_visible()
        expect(sidebar(page).get_by_text("nobody@example.com")).to_be_visible()


def test_a_provider_out_of_reach_is_said_in_words(tmp_path: Path, page: Page) -> None:
    with served(tmp_path, "http://127.0.0.1:9") as address:
        page.goto(address)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("The sign-in provider does not answer")).to_be_visible()
        assert page.url.startswith(address)
        page.goto(f"{address}/oauth2callback?error=server_error")
        expect(page.get_by_text("Sign-in did not succeed")).to_be_visible()
        assert "Traceback" not in page.content()


def test_a_changed_setting_counts_for_whoever_is_signed_in_after_a_restart(tmp_path: Path, provider: str, page: Page) -> None:
    with served(tmp_path, provider) as address:
        page.goto(address)
        sign_in(page, "sub-olga")
        expect(sidebar(page).get_by_text("operator of nlp, rc", exact=True)).to_be_visible()
    with served(tmp_path, provider, port=int(address.rsplit(":", 1)[1]), access=ACCESS.replace("operator", "viewer")) as address:
        page.goto(address)
        expect(sidebar(page).get_by_text("Olga@Example.com", exact=True)).to_be_visible()
        expect(sidebar(page).get_by_text("viewer", exact=True)).to_be_visible()


def test_at_this_machine_without_sign_in_one_is_admin_and_elsewhere_a_visitor(tmp_path: Path, browser: Browser) -> None:
    with served(tmp_path, None) as address, forwarding(address) as proxied:
        port = address.rsplit(":", 1)[1]
        rebound = browser.browser_type.launch(
            executable_path=_executable(), args=[*FLAGS, "--host-resolver-rules=MAP evil.example 127.0.0.1", "--no-proxy-server"]
        )
        for opened, role in (
            (address, "admin on this machine"),
            (f"http://localhost:{port}", "admin on this machine"),
            (proxied, "viewer"),
        ):
            page = rebound.new_page()
            page.goto(opened)
            expect(sidebar(page).get_by_text(role, exact=True)).to_be_visible(timeout=PATIENCE)
            expect(page.get_by_role("button", name="Sign")).to_have_count(0)
            page.close()
        page = rebound.new_page()
        answer = page.goto(f"http://evil.example:{port}")  # a name that somebody made to lead here
        assert answer is not None
        assert answer.status == 421
        rebound.close()


def test_on_all_addresses_even_this_machine_is_a_visitor(tmp_path: Path, page: Page) -> None:
    with served(tmp_path, None, public="viewer", address="0.0.0.0") as address:  # noqa: S104 - as containers do
        page.goto(f"{address}/team-cost")
        expect(page.get_by_text("Please sign in")).to_be_visible()
        for setting in ("[access] public_role", "[access] hosts"):
            expect(page.get_by_text(setting)).to_be_visible()
        expect(page.get_by_text("Team cost")).to_have_count(0)


def test_signing_out_ends_the_sign_in_for_a_copy_of_the_cookie_too(dashboard: str, page: Page, browser: Browser) -> None:
    page.goto(dashboard)
    sign_in(page, "sub-olga")
    expect(sidebar(page).get_by_text("operator of nlp, rc", exact=True)).to_be_visible()
    copy = browser.new_context()
    copy.add_cookies(page.context.cookies())  # type: ignore[arg-type] # what one gives is what the other takes
    thief = copy.new_page()
    thief.goto(f"{dashboard}/jobs")
    expect(sidebar(thief).get_by_text("operator of nlp, rc", exact=True)).to_be_visible()
    sidebar(page).get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(sidebar(page).get_by_text("Not signed in")).to_be_visible()
    thief.get_by_role("link", name="Overview").click()  # the session that was open all the while
    expect(sidebar(thief).get_by_text("operator of nlp, rc", exact=True)).not_to_be_visible()
    thief.goto(f"{dashboard}/jobs")
    expect(sidebar(thief).get_by_text("Not signed in")).to_be_visible()
    copy.close()
