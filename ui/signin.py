"""Sign-in with OpenID Connect: Streamlit's own, set up from our settings; the account in the sidebar; failures in words."""

import logging
import re

import httpx2
import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.access import Person
from settings import Settings, SettingsError
from ui import reads
from ui.words import plain, shown

CALLBACK, LOGIN = "/oauth2callback", "/auth/login"
PATIENCE_SECONDS = 5.0
MOST_TEAMS = 6
# Plain names alone may stand before it: of "//evil.example/auth/login" the front page would be another site's.
_WAY = re.compile(rf"(?P<base>(?:/[A-Za-z0-9._~\-]+)*)(?P<way>{CALLBACK}|{LOGIN})")
_FAILED = "sign_in"  # in the address, after a sign-in that came to nothing
_PROBLEM = "sign-in problem"
_REFUSED = "Sign-in did not succeed: the provider refused it or did not answer. Try again; if it stays so, the server's log says why."
_SILENT = "The sign-in provider does not answer. Try again in a while; if it stays so, the server's log says why."
log = logging.getLogger("trainwatch.signin")


def configure(settings: Settings) -> None:
    """Hands sign-in to Streamlit, in memory. Whatever a secrets.toml has is left alone: settings are in one place.

    Called before the server answers, since the key of the cookies is read when the routes are made.
    Raises SettingsError for a redirect_uri that no answer would come back to.
    """
    own = settings.sign_in
    if own.redirect_uri is not None and not own.redirect_uri.endswith(CALLBACK):
        raise SettingsError(f"sign_in.redirect_uri: expected this dashboard's address with {CALLBACK} behind it")
    auth = {
        "server_metadata_url": own.metadata_url,
        "client_id": own.client_id,
        "client_secret": own.client_secret,
        "redirect_uri": own.redirect_uri,
        "cookie_secret": own.cookie_secret,
    }
    given = {key: value for key, value in auth.items() if value is not None}
    st.secrets.merge_programmatic_secrets({"auth": dict(given)} if given else {})
    # Why a provider refused is said there alone, as a warning; what it says at every sign-out is none.
    routes = logging.getLogger("streamlit.web.server.starlette.starlette_auth_routes")
    routes.setLevel(logging.WARNING)
    routes.addFilter(lambda record: not str(record.msg).startswith("Missing provider"))


def offered() -> bool:
    """Whether people can sign in."""
    return reads.current_settings().sign_in.metadata_url is not None


def show_account(person: Person) -> None:
    """Who is looking, with what role, and the way in or out; for the sidebar."""
    with st.container(gap=None):
        st.text(shown(_called(person), 120))  # not Markdown, where an address becomes a link
        st.caption(_role(person))
    _show_button(person)


def show_closed(person: Person) -> None:
    """What somebody sees who may see nothing: why, and the way in."""
    if person.via == "sign-in":
        words = f"{plain(person.name, 120)} is signed in, but has no role here. Ask an admin for one ([access] in the settings)."
    elif offered():
        words = "This dashboard is shown to people who have signed in."
    else:
        words = (
            "Please sign in: this dashboard is shown to nobody without a sign-in, and none is set up yet. Its owner can set one up "
            "under [sign_in] in the settings, or open it to everybody who reaches it, to look at alone, with two settings: "
            '[access] public_role = "viewer", and the name in the address bar in [access] hosts.'
        )
    st.info(plain(words, 600), icon=":material/lock:")
    _show_button(person)


def show_problem() -> None:
    """Why the last try to sign in came to nothing, until the next."""
    if st.query_params.get(_FAILED):
        del st.query_params[_FAILED]
        st.session_state[_PROBLEM] = _REFUSED
    problem = st.session_state.get(_PROBLEM)
    if problem:
        st.error(problem, icon=":material/key_off:")


def begin() -> None:
    """Leads to the provider, or notes why that is no use."""
    st.session_state.pop(_PROBLEM, None)
    if _answers(reads.current_settings().sign_in.metadata_url or ""):
        st.login()
    else:
        st.session_state[_PROBLEM] = _SILENT


class Failures:
    """Around the server: a sign-in that comes to nothing leads back to a page that says so, rather than to a bare line or to nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        query = scope.get("query_string", b"")
        way = _WAY.fullmatch(path)
        returning = way is not None and way["way"] == CALLBACK and (b"code=" in query or b"error=" in query)  # not after a sign-out
        if scope["type"] != "http" or way is None or not (returning or way["way"] == LOGIN):
            await self.app(scope, receive, send)
            return
        home = f"{way['base']}/?{_FAILED}=failed"
        turned = False

        async def watched(message: Message) -> None:
            nonlocal turned
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                turned = message["status"] >= 400 or (returning and not _has_signed_in(headers))
                if turned:
                    log.warning("a sign-in came to nothing at %s", path)
                    message["status"] = 303
                    headers["location"], headers["content-length"] = home, "0"
            elif turned:
                message["body"] = b""
            await send(message)

        await self.app(scope, receive, watched)


def _has_signed_in(headers: MutableHeaders) -> bool:
    """Whether an answer sets the cookie of a sign-in, rather than takes it away."""
    set_now = [value for value in headers.getlist("set-cookie") if value.startswith("_streamlit_user=")]
    return any("max-age=0" not in value.lower() for value in set_now)


def _called(person: Person) -> str:
    if person.via != "visitor":
        return person.name
    return "Not signed in" if offered() else "Visitor"


def _role(person: Person) -> str:
    teams = sorted(person.teams)
    if person.role != "operator":
        return f"{person.role} on this machine" if person.via == "local" else person.role
    more = f" and {len(teams) - MOST_TEAMS} more" if len(teams) > MOST_TEAMS else ""
    return f"operator of {plain(', '.join(teams[:MOST_TEAMS]))}{more}" if teams else "operator of no team"


def _show_button(person: Person) -> None:
    if person.via == "sign-in":
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign-out")
    elif offered():
        if st.user.get("is_logged_in") is True:
            st.caption("Your sign-in has run out.")
        st.button("Sign in", icon=":material/login:", on_click=begin, type="primary", key="sign-in")


def _answers(metadata_url: str) -> bool:
    """Whether the provider can be reached and says where people sign in; why not goes to the log."""
    try:
        # As Streamlit will ask for it: no redirects are followed.
        found = httpx2.get(metadata_url, timeout=PATIENCE_SECONDS).raise_for_status().json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        log.warning("the sign-in provider at %s does not answer: %s", metadata_url, error)
        return False
    there = isinstance(found, dict) and "authorization_endpoint" in found
    if not there:
        log.warning("what %s answers is no OpenID Connect configuration", metadata_url)
    return there
