"""Leases: at most one run of a collector for a scope, whichever process or machine it is in."""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from storage.schema import leases
from storage.state import dialect_insert

LEASE = timedelta(seconds=90)


class LeaseLost(Exception):
    """Somebody else took over while this run stood still; what it had not committed is not kept."""


def new_holder() -> str:
    """A name for this process and run: host, process id and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this very host that is no more, so that nobody need wait for its lease to end."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@dataclass(frozen=True)
class Lease:
    """The right to collect for a scope until it expires; every commit renews it in the same transaction."""

    scope_row: int
    collector: str
    holder: str

    def renew(self, connection: Connection, now: datetime) -> None:
        """Moves the end of the lease. Raises LeaseLost when it is no longer ours, so that the transaction rolls back."""
        table = leases.c
        ours = (table.scope_id == self.scope_row, table.collector == self.collector, table.holder == self.holder)
        if connection.execute(update(leases).where(*ours).values(expires_at=now + LEASE)).rowcount != 1:
            raise LeaseLost(f"another process collects {self.collector} for this account now")

    def release(self, connection: Connection) -> None:
        """Gives the lease back."""
        table = leases.c
        ours = (table.scope_id == self.scope_row, table.collector == self.collector, table.holder == self.holder)
        connection.execute(delete(leases).where(*ours))


def acquire(connection: Connection, scope_row: int, collector: str, holder: str, now: datetime) -> Lease | str:
    """The lease, or the name of whoever holds it. Expired leases, and those of dead processes of this host, are taken over."""
    table = leases.c
    where = (table.scope_id == scope_row, table.collector == collector)
    new = dialect_insert(connection, leases)
    values = {"scope_id": scope_row, "collector": collector, "holder": holder, "expires_at": now + LEASE}
    connection.execute(new.values(values).on_conflict_do_nothing())
    row = connection.execute(select(leases).where(*where).with_for_update()).one()
    if row.holder == holder:
        return Lease(scope_row, collector, holder)
    if row.expires_at > now and not is_dead(row.holder):
        return str(row.holder)
    connection.execute(update(leases).where(*where).values(values))
    return Lease(scope_row, collector, holder)
