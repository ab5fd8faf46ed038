"""Who looks at this page now, and what they may do: decided anew in every run, from the sign-in, the connection and the settings."""

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from domain.access import Person, Role, higher
from settings import Access, GroupSettings, PersonSettings
from ui import reads, sessions
from ui.addresses import authority, is_loopback
from ui.edge import from_this_machine, is_our_page
from ui.words import shown

# Roles by a claim are as old as the sign-in: somebody taken out of a group at the provider keeps the role for so long at most.
SIGN_IN_LASTS = timedelta(hours=12)
_bound_to: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a visitor.

    `sign_in` is whether sign-in is configured, `claims` what the provider said (None: nothing), `client` the address they come from
    (None: loopback, or not known), `bound_to` the address the server listens on (None: not known).
    """

    sign_in: bool
    claims: Mapping[str, object] | None
    headers: Mapping[str, str]
    client: str | None
    bound_to: str | None


def served_on(address: str) -> None:
    """Notes which address the server listens on. Kept in this module, where nothing from outside the process can set it."""
    global _bound_to
    _bound_to = address


def viewer() -> Person:
    """Who looks at this page now. Ask again in each run, callback and dialog; never keep the answer."""
    settings = reads.current_settings()
    headers = st.context.headers
    claims = st.user.to_dict()
    visit = Visit(
        sign_in=settings.sign_in.metadata_url is not None,
        claims=None if sessions.has_ended(claims) else claims,
        headers={name: ", ".join(headers.get_all(name)) for name in headers},
        client=st.context.ip_address,
        bound_to=_bound_to,
    )
    return person_of(visit, settings.access, reads.now(), _account())


def person_of(visit: Visit, access: Access, now: datetime, local_name: str) -> Person:
    """The person of a visit. Where sign-in is configured nothing but a sign-in counts; where it is not, whoever sits at this
    machine is an admin under `local_name`, and everybody else a visitor.
    """
    if visit.sign_in:
        signed_in = _signed_in(visit.claims or {}, access, now)
    else:
        signed_in = Person(local_name, "admin", via="local") if is_local(visit) else None
    return signed_in or Person("visitor", _public_role(visit, access))


def is_local(visit: Visit) -> bool:
    """Whether the visit cannot but come from this machine, from a page of ours, with nothing in between. What is not known counts as no."""
    headers = {name.lower(): value for name, value in visit.headers.items()}
    return from_this_machine(visit.bound_to, visit.client, headers) and is_our_page(headers)


def may_monitor(headers: Mapping[str, str], client: str | None) -> bool:
    """Whether a request for metrics comes from this machine; a program sends no Origin, and a page's has been looked at."""
    return from_this_machine(_bound_to, client, {name.lower(): value for name, value in headers.items()})


def _public_role(visit: Visit, access: Access) -> Role:
    """What a visitor may do: nothing off loopback under a name that is not in `hosts`."""
    headers = {name.lower(): value for name, value in visit.headers.items()}
    host = authority(headers.get("host", ""))
    if host is None:
        return "none"
    at_loopback = is_loopback(visit.bound_to) and host.is_loopback
    return access.public_role if at_loopback or host.name in access.hosts else "none"


def _signed_in(claims: Mapping[str, object], access: Access, now: datetime) -> Person | None:
    """The person of a sign-in; None where there is none, or where it has run out."""
    if claims.get("is_logged_in") is not True or not _lasts(claims.get("iat"), now):
        return None
    entries: list[PersonSettings | GroupSettings]
    entries = [*_entries_by_email(claims, access.people), *_entries_by_group(claims.get(access.role_claim), access.groups)]
    role: Role = access.signed_in_role
    for entry in entries:
        role = higher(role, entry.role)
    own = (team for entry in entries if entry.role == "operator" for team in entry.teams)
    return Person(_name(claims), role, frozenset(own) if role == "operator" else frozenset(), "sign-in")


def _lasts(issued: object, now: datetime) -> bool:
    """Whether a sign-in issued then (seconds since 1970) still counts; one of no known age does not."""
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return False
    return now.timestamp() - issued < SIGN_IN_LASTS.total_seconds()


def _entries_by_email(claims: Mapping[str, object], people: Sequence[PersonSettings]) -> list[PersonSettings]:
    email = _email(claims)
    return [one for one in people if email and _folded(one.email) == _folded(email)]


def _entries_by_group(value: object, groups: Sequence[GroupSettings]) -> list[GroupSettings]:
    values = [value] if isinstance(value, str) else value if isinstance(value, list | tuple | set | frozenset) else []
    texts = {one for one in values if isinstance(one, str)}
    return [group for group in groups if group.value in texts]


def _email(claims: Mapping[str, object]) -> str | None:
    """The address of a sign-in; None where there is none, or where the provider says anything but that it was verified.

    Many providers leave `email_verified` out, and some say it as text.
    """
    email, verified = claims.get("email"), claims.get("email_verified", True)
    trusted = verified is True or (isinstance(verified, str) and verified.lower() == "true")
    return email.strip() or None if trusted and isinstance(email, str) else None


def _folded(email: str) -> str:
    """For comparing without regard to case, in ASCII alone: elsewhere, letters that look alike fold into one."""
    return email.lower() if email.isascii() else email


def _name(claims: Mapping[str, object]) -> str:
    """How the audit log calls a person: by address, else by the provider's own id, since anybody may choose what they are called."""
    texts = {key: value.strip() for key, value in claims.items() if isinstance(value, str)}
    called = texts.get("preferred_username") or texts.get("name")
    subject = texts.get("sub") or "of unknown id"
    return shown(_email(claims) or (f"{called} ({subject})" if called else subject), 200)


def _account() -> str:
    """The operating system's name of whoever runs the server."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a container may run under a number that has no name
        return "local user"
