"""A terminal in which commands are run as a shell would, with nobody to ask."""

import csv
import io
import json
from typing import Any, ClassVar

from click.testing import CliRunner, Result

import cli


class Console:
    """Runs commands; `words` come before what each is given."""

    words: ClassVar[tuple[str, ...]] = ()

    def run(self, *arguments: str) -> Result:
        """A command, with nobody to ask."""
        return CliRunner().invoke(cli.main, [*self.words, *arguments])

    def json(self, *arguments: str) -> Any:
        """What a command that goes well prints, which is JSON and nothing else."""
        result = self.run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def csv(self, *arguments: str) -> list[dict[str, str]]:
        """The rows of CSV."""
        result = self.run(*arguments, "--format", "csv")
        assert result.exit_code == 0, result.stderr
        return list(csv.DictReader(io.StringIO(result.stdout)))
