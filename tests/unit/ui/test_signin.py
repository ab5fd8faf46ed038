"""Sign-in is handed to Streamlit in memory, and what fails on the way is turned into an address that says so."""

import asyncio
import json
import os
from pathlib import Path

import httpx2
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit.auth_util import get_secrets_auth_section, validate_auth_credentials
from streamlit.errors import StreamlitAuthError
from streamlit.web.server.server_util import get_cookie_secret

from settings import Settings, SettingsError
from ui import signin

SIGN_IN = {
    "metadata_url": "https://login.example.com/.well-known/openid-configuration",
    "client_id": "trainwatch",
    "client_secret": "invented-client-secret",
    "redirect_uri": "https://trainwatch.example.com/oauth2callback",
    "cookie_secret": "invented-cookie-secret-of-more-than-32",
}
STRAY = '[auth]\nredirect_uri = "https://evil.example/oauth2callback"\ncookie_secret = "stray"\nclient_id = "stray"\n'


@pytest.fixture(autouse=True)
def no_secrets_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Streamlit as at its start, in a folder that has secrets of somebody else's."""
    monkeypatch.setattr(st.secrets, "_secrets", None)
    monkeypatch.setattr(st.secrets, "_programmatic_secrets", None)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(STRAY)
    monkeypatch.chdir(tmp_path)


def settings(**changes: str) -> Settings:
    """Settings with sign-in."""
    return Settings.model_validate({"sign_in": SIGN_IN | changes})


def test_streamlit_signs_in_as_the_settings_say_and_signs_cookies_with_their_key() -> None:
    signin.configure(settings())
    validate_auth_credentials("default")
    assert get_secrets_auth_section().to_dict() == {
        "server_metadata_url": SIGN_IN["metadata_url"],
        **{key: SIGN_IN[key] for key in ("client_id", "client_secret", "redirect_uri", "cookie_secret")},
    }
    assert get_cookie_secret() == SIGN_IN["cookie_secret"]


def test_secrets_reach_neither_a_file_nor_the_environment(tmp_path: Path) -> None:
    before = dict(os.environ)
    signin.configure(settings())
    assert dict(os.environ) == before
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert texts == [STRAY]


def test_a_stray_secrets_file_makes_no_sign_in() -> None:
    signin.configure(Settings())
    assert not get_secrets_auth_section()
    with pytest.raises(StreamlitAuthError):
        validate_auth_credentials("default")


@pytest.mark.parametrize("uri", ["https://trainwatch.example.com/", "https://trainwatch.example.com/oauth2callback/", "oauth2callbac"])
def test_an_address_that_no_answer_comes_back_to_stops_the_start(uri: str) -> None:
    with pytest.raises(SettingsError, match="/oauth2callback"):
        signin.configure(settings(redirect_uri=uri))


async def _answer(request: Request) -> Response:
    """A server of which the query says what it does, as Streamlit's would."""
    done = request.query_params.get("done")
    if done == "broken":
        return PlainTextResponse("Authentication error", status_code=400)
    answer = RedirectResponse("/")
    if done == "in":
        answer.delete_cookie("_streamlit_user_1")
        answer.set_cookie("_streamlit_user", "signed", max_age=100)
    elif done == "out":
        answer.delete_cookie("_streamlit_user")
    return answer


def ask(path: str) -> httpx2.Response:
    """What somebody gets who asks the server through what is around it."""
    inner = Starlette(routes=[Route("/{rest:path}", _answer)])

    async def once() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(signin.Failures(inner)), base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(once())


@pytest.mark.parametrize(
    "path", ["/oauth2callback?code=c&state=s&done=in", "/oauth2callback", "/auth/login?provider=p", "/oauth2callback?done=out"]
)
def test_what_goes_well_is_left_as_it_is(path: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/")


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2callback?code=c&state=s",
        "/oauth2callback?code=c&state=s&done=out",
        "/oauth2callback?error=access_denied",
        "/oauth2callback?code=c&done=broken",
        "/auth/login?provider=p&done=broken",
    ],
)
def test_what_fails_leads_home_to_words(path: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/?sign_in=failed", b"")


def test_the_address_of_the_page_may_have_a_path_before_it() -> None:
    assert ask("/costs/oauth2callback?error=x").headers["location"] == "/costs/?sign_in=failed"


@pytest.mark.parametrize("path", ["/", "/job?code=1&done=broken", "/healthz?error=1&done=broken"])
def test_everything_else_is_left_as_it_is(path: str) -> None:
    assert ask(path).status_code == (400 if "broken" in path else 307)


@pytest.mark.parametrize(
    ("status", "body", "answers"),
    [
        (200, json.dumps({"authorization_endpoint": "https://login.example.com/authorize"}), True),
        (200, json.dumps({"issuer": "https://login.example.com"}), False),
        (200, "[]", False),
        (200, "<html>", False),
        (302, "", False),
        (404, "{}", False),
        (503, "", False),
    ],
)
def test_a_provider_answers_when_it_says_where_people_sign_in(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, answers: bool
) -> None:
    def get(url: str, timeout: float) -> httpx2.Response:
        return httpx2.Response(status, text=body, request=httpx2.Request("GET", url))

    monkeypatch.setattr(httpx2, "get", get)
    assert signin._answers(SIGN_IN["metadata_url"]) is answers


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "no address", "", "https://[", "ftp://login.example.com"])
def test_a_provider_out_of_reach_does_not_answer(url: str) -> None:
    assert signin._answers(url) is False
