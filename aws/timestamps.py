"""Times in AWS answers, read quickly and without ever refusing one.

botocore's own reader takes most of the time of a page of Search, and raises for a whole page when one time in it is absurd.
"""

from datetime import UTC, datetime


def timestamp_from(value: object) -> object:
    """The aware UTC datetime of epoch seconds or ISO 8601 text; the value itself when it is no time.

    A value handed back is for the caller to judge: `domain.training_job` notes it as an oddity.
    """
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _from_text(value)
    except (ValueError, OverflowError, OSError):
        pass
    return value


def _from_text(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(float(text), UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
