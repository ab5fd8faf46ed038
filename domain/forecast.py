"""Where a month will end if it goes on as it did of late."""

from datetime import date

from domain.money import divided
from domain.period import first_of_next_month

FORECAST_DAYS = 14


def month_end_forecast(billed_nusd: int, accruing_nusd: int, recent_nusd: int, today: date) -> int:
    """Billed and accruing so far, and for each day left after today the mean of the last 14 whole days.

    `recent_nusd` is what those 14 days, up to yesterday, cost in all.
    """
    left = (first_of_next_month(today) - today).days - 1
    return billed_nusd + accruing_nusd + divided(recent_nusd * left, FORECAST_DAYS)
