"""Cost Explorer's GetCostAndUsage over the simulated bill."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from demo.bill import DELAY, Line, lines
from demo.books import Books
from demo.call import Call, as_list, as_object
from demo.errors import AwsError
from demo.pricelist import PriceList

SERVICE: Final = "Amazon SageMaker"
DIMENSIONS: Final[dict[str, Callable[[Line], str]]] = {
    "SERVICE": lambda _: SERVICE,
    "USAGE_TYPE": lambda line: line.usage_type,
    "LINKED_ACCOUNT": lambda line: line.account,
    "REGION": lambda line: line.region,
    "INSTANCE_TYPE": lambda line: f"{line.instance_type}-Training" if line.instance_type else "NoInstanceType",
    "OPERATION": lambda line: "RunInstance" if line.instance_type else "CreateVolume-Gp2",
    "RECORD_TYPE": lambda _: "Usage",
}

Json = Mapping[str, object]


class CostExplorer:
    """The bill of all accounts for the one that pays, and of each account for itself."""

    def __init__(self, books: Books, price_list: PriceList, payer: str) -> None:
        self._books = books
        self._price_list = price_list
        self._payer = payer

    def get_cost_and_usage(self, call: Call) -> Json:
        """GetCostAndUsage by day or month, in up to two groups; yesterday is the last day known."""
        groups = [as_object(one) for one in as_list(call.body.get("GroupBy"))]
        if len(groups) > 2:
            raise AwsError("ValidationException", "Group by is limited to 2 values")
        wanted = _filter(as_object(call.body.get("Filter")))
        rows = [line for line in self._lines(call) if wanted(line)]
        results = [_result(start, end, rows, groups, call) for start, end in _periods(call)]
        return {"GroupDefinitions": groups, "ResultsByTime": results, "DimensionValueAttributes": []}

    def _lines(self, call: Call) -> list[Line]:
        entries = self._books.entries()
        if call.account != self._payer:
            entries = [entry for entry in entries if entry.plan.account == call.account]
        return list(lines(entries, self._price_list.prices, call.now))


def _periods(call: Call) -> list[tuple[date, date]]:
    period = as_object(call.body.get("TimePeriod"))
    try:
        start, end = date.fromisoformat(str(period.get("Start"))[:10]), date.fromisoformat(str(period.get("End"))[:10])
    except ValueError:
        raise AwsError("ValidationException", "Start and End have to be dates of the form yyyy-MM-dd") from None
    if start >= end:
        raise AwsError("ValidationException", "Start date (and hour) should be before end date (and hour)")
    periods = []
    while start < end:
        following = start + timedelta(days=1)
        if call.text("Granularity") == "MONTHLY":
            following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        periods.append((start, min(following, end)))
        start = following
    return periods


def _result(start: date, end: date, rows: Sequence[Line], groups: Sequence[Json], call: Call) -> dict[str, object]:
    names = [str(one) for one in as_list(call.body.get("Metrics"))] or ["UnblendedCost"]
    within = [line for line in rows if start <= line.on < end]
    said: dict[str, object] = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Total": {},
        "Groups": [],
        "Estimated": end > (call.now - DELAY).date(),
    }
    if not groups:
        return said | {"Total": _metrics(within, names)}
    grouped: dict[tuple[str, ...], list[Line]] = {}
    for line in within:
        grouped.setdefault(tuple(_key(line, group) for group in groups), []).append(line)
    rendered = [{"Keys": list(key), "Metrics": _metrics(found, names)} for key, found in sorted(grouped.items())]
    return said | {"Groups": rendered}


def _metrics(rows: Sequence[Line], names: Sequence[str]) -> dict[str, object]:
    units = {line.unit for line in rows}
    quantity = sum((line.quantity for line in rows), Decimal(0))
    usd = sum((line.usd for line in rows), Decimal(0))
    used = {"Amount": f"{quantity:.10f}", "Unit": units.pop() if len(units) == 1 else "N/A"}
    return {name: used if name == "UsageQuantity" else {"Amount": f"{usd:.10f}", "Unit": "USD"} for name in names}


def _key(line: Line, group: Json) -> str:
    key = str(group.get("Key"))
    if group.get("Type") == "TAG":
        return f"{key}${line.tags.get(key, '')}"
    return _dimension(key)(line)


def _dimension(key: str) -> Callable[[Line], str]:
    if key not in DIMENSIONS:
        raise AwsError("ValidationException", f"The simulated bill has no dimension {key}")
    return DIMENSIONS[key]


def _filter(said: Json) -> Callable[[Line], bool]:
    if "And" in said:
        every = [_filter(as_object(one)) for one in as_list(said["And"])]
        return lambda line: all(test(line) for test in every)
    if "Or" in said:
        some = [_filter(as_object(one)) for one in as_list(said["Or"])]
        return lambda line: any(test(line) for test in some)
    if "Not" in said:
        test = _filter(as_object(said["Not"]))
        return lambda line: not test(line)
    if "Dimensions" in said:
        return _values_filter(as_object(said["Dimensions"]), _dimension(str(as_object(said["Dimensions"]).get("Key"))))
    if "Tags" in said:
        key = str(as_object(said["Tags"]).get("Key"))
        return _values_filter(as_object(said["Tags"]), lambda line: line.tags.get(key, ""))
    return lambda _: True


def _values_filter(said: Json, value: Callable[[Line], str]) -> Callable[[Line], bool]:
    wanted = [str(one) for one in as_list(said.get("Values"))]
    options = as_list(said.get("MatchOptions"))
    if "CONTAINS" in options:
        return lambda line: any(one in value(line) for one in wanted)
    if "STARTS_WITH" in options:
        return lambda line: value(line).startswith(tuple(wanted))
    return lambda line: value(line) in wanted
