"""Instants and UTC days: reading the times AWS sends in, and counting them in whole numbers for the database."""

from datetime import UTC, date, datetime, timedelta

EPOCH_DAY = date(1970, 1, 1)
EARLIEST = datetime(2017, 1, 1, tzinfo=UTC)  # SageMaker was announced in November 2017
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant_from(value: object) -> datetime | None:
    """The aware UTC instant that a value from AWS stands for; None when it is no time.

    Takes datetimes (naive ones are UTC, as AWS means them), epoch seconds and ISO 8601 text. Milliseconds are kept,
    since that is what SageMaker sends; anything finer is cut, so that an instant survives the database unchanged.
    """
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        finer = moment.microsecond % 1000
        return moment.replace(microsecond=moment.microsecond - finer) if finer else moment
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            return _EPOCH + timedelta(milliseconds=round(value * 1000))
        if isinstance(value, str):
            return instant_from(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None
    return None


def is_plausible(moment: datetime) -> bool:
    """Whether a training job can have happened then at all."""
    return EARLIEST <= moment < LATEST


def to_millis(moment: datetime) -> int:
    """Whole milliseconds since 1970, the database's form of an instant."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The aware UTC instant of a number of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=millis)


def day_number(day: date) -> int:
    """Whole days since 1970-01-01, the database's form of a UTC day."""
    return (day - EPOCH_DAY).days


def day_from_number(number: int) -> date:
    """The UTC day of a number of days since 1970-01-01."""
    return EPOCH_DAY + timedelta(days=number)


def whole_seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds of the end minus whole seconds of the start, never below 0.

    This is how SageMaker itself counts: 37 of 37 recorded jobs follow it, while rounding the difference fits none of
    the fractional ones. Source: DescribeTrainingJob answers in tests/fixtures.
    """
    return max(0, int(end.timestamp()) - int(start.timestamp()))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with `Z`, to the second; None stays None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
