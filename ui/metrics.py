"""What monitoring asks of the dashboard, in Prometheus' text format."""

from storage.engine import reading
from storage.state import data_version
from storage.views.collection import collector_states
from storage.views.live import live_jobs
from ui import reads


def text() -> str:
    """Gauges: seconds since each collector last went well, live jobs, and the version of the data."""
    with reading(reads.engine()) as connection:
        states, live, version = collector_states(connection), live_jobs(connection), data_version(connection)
    lines = [
        "# HELP trainwatch_data_age_seconds Seconds since a collector last went well.",
        "# TYPE trainwatch_data_age_seconds gauge",
    ]
    for state in states:
        if state.succeeded_at is not None:
            labels = f'account="{state.account}",region="{state.region}",collector="{state.collector}"'
            lines.append(f"trainwatch_data_age_seconds{{{labels}}} {(reads.now() - state.succeeded_at).total_seconds():.0f}")
    lines += [
        "# HELP trainwatch_live_jobs Jobs that have not ended.",
        "# TYPE trainwatch_live_jobs gauge",
        f"trainwatch_live_jobs {len(live)}",
    ]
    lines += ["# HELP trainwatch_data_version Counts up with every change.", "# TYPE trainwatch_data_version counter"]
    return "\n".join([*lines, f"trainwatch_data_version {version}", ""])
