"""The words of findings."""

from datetime import timedelta

import pytest

from domain.findings.finding import SEVERITIES, number, rank, span


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 min"), (timedelta(minutes=47), "47 min"), (timedelta(minutes=60), "1 h 00"), (40_620, "11 h 17"),
        (timedelta(hours=47, minutes=59), "47 h 59"), (timedelta(hours=48), "2 d 0 h"), (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
        (timedelta(minutes=59, seconds=40), "1 h 00"), (timedelta(seconds=-90), "0 min"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_said_in_two_units_at_most(length: timedelta | float, words: str) -> None:
    assert span(length) == words


@pytest.mark.parametrize(("value", "words"), [(0.30004, "0.3"), (1234.5, "1,234"), (-250, "-250"), (12.34, "12.3"), (2.1e-7, "2.1e-07")])
def test_a_measured_number_is_said_in_few_digits(value: float, words: str) -> None:
    assert number(value) == words


def test_the_gravest_severity_comes_first_and_an_unknown_one_last() -> None:
    assert [rank(severity) for severity in (*SEVERITIES, "odd")] == [0, 1, 2, 3]
