"""The IAM policies that the settings need, for whoever sets up the roles."""

import json
import os

import click

from actions.policies import operator_policy, reader_policy
from commands.frame import settings_of


@click.command()
@click.option("--reader", "kind", flag_value="reader", help="Of the role that reads.")
@click.option("--operator", "kind", flag_value="operator", help="Of the role that stops and cleans.")
@click.pass_context
def policy(context: click.Context, kind: str | None) -> None:
    """The IAM policy that these settings need, as JSON."""
    if kind is None:
        raise click.UsageError("say which policy: --reader or --operator")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    make = reader_policy if kind == "reader" else operator_policy
    click.echo(json.dumps(make(settings_of(context), region), indent=2))
