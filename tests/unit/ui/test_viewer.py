"""Who looks at a page: every way in, and every way that only looks like one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import RANKS, Person
from settings import Access
from ui.viewer import SIGN_IN_LASTS, Visit, is_local, person_of

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FRESH = int((NOW - timedelta(minutes=5)).timestamp())
BROWSER = {"Host": "localhost:8501", "Origin": "http://localhost:8501", "User-Agent": "Mozilla/5.0", "Sec-WebSocket-Version": "13"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what containers listen on
LOCAL = Visit(sign_in=False, claims=None, headers=BROWSER, client=None, bound_to="127.0.0.1")
ACCESS = Access.model_validate(
    {
        "public_role": "viewer",
        "people": [
            {"email": "Ann@Example.com", "role": "admin"},
            {"email": "olga@example.com", "role": "operator", "teams": ["rc"]},
            {"email": "vera@example.com", "role": "viewer", "teams": ["secret"]},
        ],
        "groups": [
            {"value": "ops", "role": "operator", "teams": ["nlp", "rc"]},
            {"value": "vision-ops", "role": "operator", "teams": ["cv"]},
            {"value": "ml-admins", "role": "admin", "teams": ["rc"]},
            {"value": "guests", "role": "viewer"},
        ],
    }
)


def visit(**changes: Any) -> Visit:
    """A visit by a browser on this machine, with changes."""
    return replace(LOCAL, **changes)


def with_headers(**headers: str) -> Visit:
    """The local visit with more headers; an underscore stands for a hyphen."""
    return visit(headers=BROWSER | {name.replace("_", "-"): value for name, value in headers.items()})


def signed_in(access: Access = ACCESS, **claims: Any) -> Person:
    """The person of a sign-in of five minutes ago with these claims."""
    known: dict[str, Any] = {"is_logged_in": True, "sub": "s-1", "iat": FRESH}
    return person_of(visit(sign_in=True, claims=known | claims), access, NOW, "me")


def role_without_sign_in(seen: Visit, public: str = "viewer") -> str:
    """The role of a visit to a dashboard that has no sign-in."""
    return person_of(seen, Access.model_validate({"public_role": public}), NOW, "me").role


# Without sign-in


def test_whoever_sits_at_this_machine_is_its_admin_by_their_account_name() -> None:
    assert person_of(LOCAL, Access(), NOW, "me") == Person("me", "admin", via="local")


@pytest.mark.parametrize("public", ["viewer", "none"])
def test_the_public_role_does_not_bind_whoever_sits_at_this_machine(public: str) -> None:
    assert role_without_sign_in(LOCAL, public) == "admin"


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "127.8.9.10"])
def test_a_server_on_a_loopback_address_is_local(address: str) -> None:
    assert is_local(visit(bound_to=address))


@pytest.mark.parametrize(
    "address", [None, "", EVERYWHERE, "::", "10.0.0.7", "192.168.1.4", "example.com", "127.0.0.1.evil.example", "127.1"]
)
def test_a_server_on_any_other_address_or_an_unknown_one_makes_nobody_local(address: str | None) -> None:
    assert not is_local(visit(bound_to=address))


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "LocalHost:1", "127.0.0.1", "127.0.0.1:8501", "[::1]", "[::1]:8501"])
def test_the_address_bar_may_name_loopback_in_each_way(host: str) -> None:
    assert is_local(with_headers(Host=host, Origin=f"http://{host}"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8501", "localhost.evil.example", "127.0.0.1.evil.example:80", "evil.localhost",
        "localhost@evil.example", "evil.example@localhost", "localhost/", "localhost:8501/x", "localhost:port", "localhost:99999",
        "localhost, evil.example", "[::1", "[::2]:8501", "::1", "", " ", "localhost\t", "0.0.0.0:8501", "10.0.0.7", "2130706433",
        "0x7f.0.0.1", "127.0.0.1:8501?x", "localhost#",
    ],
)  # fmt: skip
def test_a_host_that_is_not_plainly_loopback_makes_a_visitor_who_may_see_nothing(host: str) -> None:
    assert role_without_sign_in(with_headers(Host=host)) == "none"
    assert role_without_sign_in(with_headers(Host=host), "none") == "none"


def test_the_public_may_look_off_loopback_under_a_name_of_the_settings_alone() -> None:
    access = Access.model_validate({"public_role": "viewer", "hosts": ["Dash.Example.com", "localhost"]})

    def role(host: str, bound_to: str = EVERYWHERE) -> str:
        return person_of(visit(headers=BROWSER | {"Host": host}, bound_to=bound_to), access, NOW, "me").role

    assert [role(host) for host in ("dash.example.com", "DASH.example.com:8501", "localhost:8501")] == ["viewer"] * 3
    assert [role(host) for host in ("127.0.0.1:8501", "other.example.com", "")] == ["none"] * 3
    assert person_of(visit(headers=BROWSER | {"Host": "dash.example.com"}, bound_to=EVERYWHERE), Access(), NOW, "me").role == "none"


def test_the_public_is_shown_nothing_unless_settings_say_so() -> None:
    assert Access().public_role == "none"


def test_a_request_without_a_host_makes_a_visitor() -> None:
    assert not is_local(visit(headers={"Origin": "http://localhost:8501"}))
    assert not is_local(visit(headers={}))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8501", "localhost:8501"),
        ("https://127.0.0.1", "127.0.0.1"),
        ("http://[::1]:9", "[::1]:9"),
        ("HTTP://LOCALHOST", "localhost:80"),
    ],
)
def test_a_page_of_this_very_server_is_local(origin: str, host: str) -> None:
    assert is_local(with_headers(Origin=origin, Host=host))


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://localhost", "http://127.0.0.1:8501", "https://[::1]:8501"])
def test_a_page_of_another_server_on_this_machine_makes_a_visitor(origin: str) -> None:
    assert not is_local(with_headers(Origin=origin))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "https://dash.example.com", "null", "", "localhost", "//localhost", "file://",
        "chrome-extension://localhost", "http://localhost.evil.example", "http://localhost@evil.example", "http://localhost/x",
        "http://",
    ],
)  # fmt: skip
def test_a_page_of_any_other_site_makes_a_visitor(origin: str) -> None:
    assert not is_local(with_headers(Origin=origin))


def test_a_client_that_does_not_say_which_page_it_shows_is_not_local() -> None:
    assert not is_local(visit(headers={"host": "127.0.0.1:8501"}))


PROXY_HEADERS = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Original-URL",
    "X-Request-Id",
    "X-Amzn-Trace-Id",
    "X-Amzn-Oidc-Data",
    "X-Auth-Request-User",
    "X-Goog-Iap-Jwt-Assertion",
    "X-MS-Client-Principal",
    "X-Envoy-External-Address",
    "Cf-Connecting-Ip",
    "Cf-Access-Jwt-Assertion",
    "Tailscale-User-Login",
    "Remote-User",
    "True-Client-Ip",
    "Fly-Client-Ip",
    "Fastly-Client-Ip",
    "Proxy-Connection",
    "Client-Ip",
]


def test_whoever_comes_by_a_proxy_is_a_visitor() -> None:
    taken_for_local = [
        cased(name)
        for name in PROXY_HEADERS
        for cased in (str, str.lower, str.upper)
        if is_local(visit(headers=BROWSER | {cased(name): ""}))
    ]
    assert len(PROXY_HEADERS) == 26
    assert taken_for_local == []


@pytest.mark.parametrize("cased", [str.lower, str.upper, str.title])
def test_the_case_of_headers_does_not_matter(cased: Any) -> None:
    assert is_local(visit(headers={cased(name): value for name, value in BROWSER.items()}))
    assert not is_local(visit(headers={cased(name): value for name, value in (BROWSER | {"Host": "evil.example"}).items()}))
    assert not is_local(visit(headers={cased(name): value for name, value in (BROWSER | {"Origin": "http://evil.example"}).items()}))


@pytest.mark.parametrize(
    ("client", "local"), [(None, True), ("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("testclient", False)]
)
def test_an_address_that_is_known_must_be_of_this_machine(client: str | None, local: bool) -> None:
    assert is_local(visit(client=client)) is local


def test_what_a_browser_sends_of_itself_is_no_sign_of_a_proxy() -> None:
    sent = {
        "host", "connection", "pragma", "cache-control", "user-agent", "upgrade", "origin", "accept", "accept-encoding", "accept-language",
        "cookie", "dnt", "priority", "sec-websocket-version", "sec-websocket-key", "sec-websocket-extensions", "sec-websocket-protocol",
        "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-gpc",
    }  # fmt: skip
    assert is_local(visit(headers=dict.fromkeys(sent, "") | {name.lower(): value for name, value in BROWSER.items()}))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_header_whatever_makes_an_admin_off_loopback(name: str, value: str, host: str, origin: str) -> None:
    seen = visit(
        bound_to=EVERYWHERE,
        headers={"host": host, "origin": origin, name: value},
        claims={"is_logged_in": True, "email": "ann@example.com"},
    )
    assert person_of(seen, ACCESS, NOW, "me") == Person("visitor", "none")


@pytest.mark.parametrize("claims", [None, {}, {"is_logged_in": True, "email": "ann@example.com", "iat": FRESH}])
def test_without_sign_in_claims_mean_nothing(claims: Mapping[str, object] | None) -> None:
    assert person_of(visit(claims=claims, bound_to=EVERYWHERE), ACCESS, NOW, "me") == Person("visitor", "none")


# With sign-in


@pytest.mark.parametrize("public", ["viewer", "none"])
@pytest.mark.parametrize(
    "claims",
    [
        None,
        {},
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"is_logged_in": 1},
        {"is_logged_in": None},
        {"email": "ann@example.com"},
    ],
)
def test_whoever_has_not_signed_in_has_the_public_role_even_on_loopback(claims: dict[str, object] | None, public: str) -> None:
    access = ACCESS.model_copy(update={"public_role": public})
    told = {**claims, "iat": FRESH} if claims is not None else None
    assert person_of(visit(sign_in=True, claims=told), access, NOW, "me") == Person("visitor", public)  # type: ignore[arg-type] # one of two


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@EXAMPLE.COM", "Ann@example.com", " ann@example.com "])
def test_an_address_counts_in_any_case(email: str) -> None:
    assert signed_in(email=email) == Person(email.strip(), "admin", via="sign-in")


@pytest.mark.parametrize("email", ["ann@example.com.evil.example", "xann@example.com", "ann@example.co", "", " ", "ſann@example.com"])
def test_an_address_that_is_another_does_not_count(email: str) -> None:
    assert signed_in(email=email).role == "viewer"


def test_letters_that_fold_into_ascii_are_other_letters() -> None:
    assert "\u212a".lower() == "k"
    access = Access.model_validate({"people": [{"email": "kim@example.com", "role": "admin"}]})
    assert signed_in(access, email="\u212aim@example.com").role == "viewer"
    assert signed_in(access, email="kim@example.com").role == "admin"


@pytest.mark.parametrize("email", [None, 7, True, ["ann@example.com"], {"ann@example.com": 1}, b"ann@example.com", 1.5])
def test_an_address_of_another_shape_does_not_count_and_breaks_nothing(email: object) -> None:
    assert signed_in(email=email) == Person("s-1", "viewer", via="sign-in")


@pytest.mark.parametrize("verified", [True, "true", "True"])
def test_an_address_counts_where_the_provider_vouches_for_it_or_says_nothing(verified: object) -> None:
    assert signed_in(email="ann@example.com", email_verified=verified).role == "admin"
    assert signed_in(email="ann@example.com").role == "admin"


@pytest.mark.parametrize("verified", [False, None, "false", "False", 0, 1, "", "no", [], {}, [True]])
def test_an_address_that_was_not_verified_gives_no_role_and_no_name(verified: object) -> None:
    person = signed_in(email="ann@example.com", email_verified=verified, name="Ann")
    assert person == Person("Ann (s-1)", "viewer", via="sign-in")


def test_an_address_that_was_not_verified_leaves_the_groups_as_they_are() -> None:
    assert signed_in(email="ann@example.com", email_verified=False, groups=["ops"]).role == "operator"


def test_an_operator_has_the_teams_of_the_settings() -> None:
    assert signed_in(email="olga@example.com") == Person("olga@example.com", "operator", frozenset({"rc"}), "sign-in")


@pytest.mark.parametrize("value", ["ops", ["ops"], ("guests", "ops"), {"ops"}, ["ops", "ops"], [None, 1, "ops", ["ml-admins"], {}]])
def test_a_group_counts_as_text_or_in_a_list(value: object) -> None:
    person = signed_in(groups=value)
    assert (person.role, person.teams) == ("operator", {"nlp", "rc"})


@pytest.mark.parametrize(
    "value",
    [None, "", [], {}, {"ops": True}, "OPS", "ops ", "ops,ml-admins", "ops ml-admins", ["Ops"], [["ops"]], 1, True, b"ops", [b"ops"]],
)
def test_a_group_that_is_another_or_of_another_shape_does_not_count(value: object) -> None:
    person = signed_in(groups=value)
    assert (person.role, person.teams) == ("viewer", frozenset())


def test_groups_are_looked_up_in_the_claim_of_the_settings() -> None:
    access = ACCESS.model_copy(update={"role_claim": "roles"})
    assert signed_in(access, groups=["ml-admins"]).role == "viewer"
    assert signed_in(access, roles=["ml-admins"]).role == "admin"


def test_teams_of_all_that_matches_are_added_up() -> None:
    person = signed_in(email="olga@example.com", groups=["ops", "vision-ops", "guests"])
    assert (person.role, person.teams) == ("operator", {"rc", "nlp", "cv"})


def test_the_highest_role_counts() -> None:
    assert signed_in(email="olga@example.com", groups=["ml-admins"]) == Person("olga@example.com", "admin", via="sign-in")
    assert signed_in(email="ann@example.com", groups=["guests"]).role == "admin"
    assert signed_in(email="vera@example.com", groups="ops").role == "operator"


def test_the_teams_of_a_viewer_are_not_theirs_to_act_on() -> None:
    assert signed_in(email="vera@example.com", groups="ops").teams == {"nlp", "rc"}
    assert signed_in(email="vera@example.com").teams == frozenset()


@pytest.mark.parametrize("given_role", ["viewer", "none"])
def test_whoever_is_named_nowhere_has_the_role_of_everybody_who_signs_in(given_role: str) -> None:
    access = ACCESS.model_copy(update={"signed_in_role": given_role})
    assert signed_in(access, email="nobody@example.com").role == given_role
    assert signed_in(access, email="vera@example.com").role == "viewer"


def test_loopback_gives_nothing_to_whoever_signs_in() -> None:
    assert signed_in(email="nobody@example.com") == Person("nobody@example.com", "viewer", via="sign-in")


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1), SIGN_IN_LASTS - timedelta(seconds=1), timedelta(seconds=-60)])
def test_a_sign_in_lasts_for_a_working_day(age: timedelta) -> None:
    assert signed_in(email="ann@example.com", iat=(NOW - age).timestamp()).role == "admin"


@pytest.mark.parametrize("issued", [(NOW - SIGN_IN_LASTS).timestamp(), 0, None, "1795571475", True, [], float("nan"), -float("inf")])
def test_a_sign_in_that_has_run_out_or_has_no_age_is_none(issued: object) -> None:
    assert signed_in(email="ann@example.com", iat=issued) == Person("visitor", "viewer")


def test_the_token_may_run_out_before_the_sign_in_does() -> None:
    assert signed_in(email="ann@example.com", exp=FRESH + 1).role == "admin"


def test_a_changed_setting_counts_at_once() -> None:
    assert signed_in(email="ann@example.com").role == "admin"
    assert signed_in(ACCESS.model_copy(update={"people": []}), email="ann@example.com").role == "viewer"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "olga@example.com", "name": "Olga", "preferred_username": "olga"}, "olga@example.com"),
        ({"name": "Olga", "preferred_username": "olga"}, "olga (s-1)"),
        ({"name": "ann@example.com"}, "ann@example.com (s-1)"),
        ({"name": ["Olga"]}, "s-1"),
        ({"sub": None}, "of unknown id"),
        ({"email": "a\u202e\x00b@example.com"}, "a��b@example.com"),
    ],
)
def test_the_audit_log_calls_people_by_what_nobody_chooses_for_themselves(claims: dict[str, object], name: str) -> None:
    assert signed_in(**claims).name == name


def test_a_name_has_an_end() -> None:
    assert len(signed_in(email="x" * 5000).name) == 200


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["ops", "ann@example.com", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["is_logged_in", "email", "email_verified", "groups", "sub", "name", "preferred_username", "iat", "exp", "tokens"])


@given(st.dictionaries(names | st.text(max_size=5), anything), st.booleans())
def test_claims_of_any_shape_make_a_person(claims: dict[str, object], sign_in: bool) -> None:
    person = person_of(visit(sign_in=sign_in, claims=claims, bound_to=None), ACCESS, NOW, "me")
    assert person.role in RANKS
    assert person.via == "visitor" or claims["is_logged_in"] is True
    assert person.role != "admin" or claims.get("email") == "ann@example.com"
