"""A simulated AWS account with a living workload, served over HTTP to anything that speaks boto3."""

from demo.teams import TEAMS, settings_text

__all__ = ["TEAMS", "settings_text"]
