"""Sign-ins that were ended by signing out, by a digest of what the provider said."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from storage.schema_operations import ended_sign_ins
from storage.state import dialect_insert

KEPT = timedelta(days=31)  # longer than a browser keeps the cookie


def end_sign_in(connection: Connection, fingerprint: str, at: datetime) -> None:
    """Notes that a sign-in has ended, and forgets those whose cookies no browser has any more."""
    connection.execute(delete(ended_sign_ins).where(ended_sign_ins.c.ended_at < at - KEPT))
    row = {"fingerprint": fingerprint, "ended_at": at}
    connection.execute(dialect_insert(connection, ended_sign_ins).values(row).on_conflict_do_nothing())


def sign_in_has_ended(connection: Connection, fingerprint: str) -> bool:
    """Whether somebody signed out of it, here or in another browser."""
    statement = select(ended_sign_ins.c.fingerprint).where(ended_sign_ins.c.fingerprint == fingerprint)
    return connection.execute(statement).first() is not None
