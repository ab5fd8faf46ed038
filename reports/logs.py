"""Lines of the log: without secrets, and with nothing in them that a terminal would obey."""

import logging
import sys

from domain.secret_text import masked_text
from domain.text import visible

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class SafeFormatter(logging.Formatter):
    """Formats a record, its traceback too, with secrets masked and control characters shown as boxes."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines."""
        return visible(masked_text(super().format(record)))


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Sends the log of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
