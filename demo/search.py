"""The Search operation over training jobs: filters, order, and the limit of 10 000 hits."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from demo.books import Entry, Shard
from demo.call import as_list, as_object
from demo.errors import invalid

MOST_HITS = 10_000
MOST_FILTERS = 20
INSTANTS = frozenset({"CreationTime", "LastModifiedTime", "TrainingStartTime", "TrainingEndTime"})
KNOWN = INSTANTS | {
    "TrainingJobName", "TrainingJobArn", "TuningJobArn", "LabelingJobArn", "AutoMLJobArn", "ModelArtifacts",
    "TrainingJobStatus", "SecondaryStatus", "FailureReason", "HyperParameters", "AlgorithmSpecification", "RoleArn",
    "InputDataConfig", "OutputDataConfig", "ResourceConfig", "WarmPoolStatus", "VpcConfig", "StoppingCondition",
    "SecondaryStatusTransitions", "FinalMetricDataList", "Metrics", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "CheckpointConfig", "TrainingTimeInSeconds",
    "BillableTimeInSeconds", "DebugHookConfig", "ExperimentConfig", "DebugRuleConfigurations",
    "TensorBoardOutputConfig", "DebugRuleEvaluationStatuses", "OutputModelPackageArn", "ModelPackageConfig",
    "ProfilerConfig", "Environment", "RetryStrategy", "Tags",
}  # fmt: skip

Json = Mapping[str, object]


def hits(shard: Shard, request: Json, now: datetime) -> list[Entry]:
    """The jobs that a Search request finds at `now`, in its order, before the limit of 10 000 is applied."""
    expression = as_object(request.get("SearchExpression"))
    wanted = _matcher(expression, now)
    since, until = _created_between(expression)
    found = [one for one in shard.existing(now, since, until) if wanted(one)]
    return _ordered(found, request, now)


def _ordered(found: list[Entry], request: Json, now: datetime) -> list[Entry]:
    sort_by = str(request.get("SortBy") or "LastModifiedTime")
    descending = request.get("SortOrder") != "Ascending"
    _check_name(sort_by)
    keyed = [(_sort_key(one, sort_by, now), one) for one in found]
    having = [pair for pair in keyed if pair[0] is not None]
    having.sort(key=lambda pair: pair[0] or ("", 0.0, ""), reverse=descending)
    return [one for _, one in having] + [one for key, one in keyed if key is None]


def _sort_key(entry: Entry, name: str, now: datetime) -> tuple[str, float, str] | None:
    values = values_at(entry, name, now)
    if not values:
        return None
    value = values[0]
    if isinstance(value, datetime):
        return "number", value.timestamp(), entry.plan.name
    if isinstance(value, (int, float)):
        return "number", float(value), entry.plan.name
    return "text", 0.0, str(value)


def _matcher(expression: Json, now: datetime) -> Callable[[Entry], bool]:
    filters = as_list(expression.get("Filters"))
    if len(filters) > MOST_FILTERS:
        raise invalid(f"At most {MOST_FILTERS} filters are allowed, {len(filters)} were given")
    tests = [_filter(as_object(one), now) for one in filters]
    tests += [_matcher(as_object(one), now) for one in as_list(expression.get("SubExpressions"))]
    if not tests:
        return lambda _entry: True
    if expression.get("Operator") == "Or":
        return lambda entry: any(test(entry) for test in tests)
    return lambda entry: all(test(entry) for test in tests)


def _filter(one: Json, now: datetime) -> Callable[[Entry], bool]:
    name, wanted = str(one.get("Name")), one.get("Value")
    operator = str(one.get("Operator") or "Equals")
    _check_name(name)
    if operator in {"Exists", "NotExists"}:
        return lambda entry: bool(values_at(entry, name, now)) == (operator == "Exists")
    if wanted is None:
        raise invalid(f"A Value is required for the operator {operator} on {name}")
    if name in INSTANTS:
        at = _instant(name, str(wanted))
        compare_at = _comparison(name, operator)
        return lambda entry: any(compare_at(_epoch(value), at) for value in values_at(entry, name, now))
    return _text_filter(name, operator, str(wanted), now)


def _text_filter(name: str, operator: str, wanted: str, now: datetime) -> Callable[[Entry], bool]:
    if operator == "Equals":
        return lambda entry: any(_same(value, wanted) for value in values_at(entry, name, now))
    if operator == "NotEquals":
        return lambda entry: not any(_same(value, wanted) for value in values_at(entry, name, now))
    if operator == "In":
        offered = [part.strip() for part in wanted.split(",")]
        return lambda entry: any(_same(value, part) for value in values_at(entry, name, now) for part in offered)
    if operator == "Contains":
        return lambda entry: any(wanted.lower() in str(value).lower() for value in values_at(entry, name, now))
    compare = _comparison(name, operator)
    number = _number(name, operator, wanted)
    return lambda entry: any(compare(float(value), number) for value in values_at(entry, name, now) if isinstance(value, (int, float)))


def values_at(entry: Entry, path: str, now: datetime) -> list[object]:
    """The values under a property name of Search: several across a list, none where it leads nowhere."""
    if not entry.plan.overrides:
        quick = _QUICK.get(path)
        if quick is not None:
            return [quick(entry, now)]
    head, _, rest = path.partition(".")
    if head == "Tags":
        return [entry.tags[rest]] if rest in entry.tags else []
    if head == "Metrics":
        listed = as_list(entry.describe(now).get("FinalMetricDataList"))
        return [as_object(one).get("Value") for one in listed if as_object(one).get("MetricName") == rest]
    return _inside(entry.describe(now).get(head), rest)


_QUICK: dict[str, Callable[[Entry, datetime], object]] = {
    "TrainingJobName": lambda entry, _: entry.plan.name,
    "CreationTime": lambda entry, _: entry.plan.created_at,
    "LastModifiedTime": lambda entry, now: entry.last_modified(now),
    "TrainingJobStatus": lambda entry, now: entry.status(now),
}
"""What most filters and orders ask for, without describing the whole job."""


def _inside(value: object, path: str) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list):
        return [found for item in value for found in _inside(item, path)]
    if not path:
        return [value]
    if not isinstance(value, Mapping):
        return []
    if path in value:  # a hyperparameter's name may contain dots
        return _inside(value[path], "")
    head, _, rest = path.partition(".")
    return _inside(value.get(head), rest)


def _created_between(expression: Json) -> tuple[datetime | None, datetime | None]:
    """Bounds on CreationTime that every hit must meet; the filters themselves still decide."""
    since: datetime | None = None
    until: datetime | None = None
    if expression.get("Operator") == "Or":
        return None, None
    for one in map(as_object, as_list(expression.get("Filters"))):
        if one.get("Name") != "CreationTime" or one.get("Value") is None:
            continue
        at = datetime.fromtimestamp(_instant("CreationTime", str(one["Value"])), UTC)
        if str(one.get("Operator")).startswith("GreaterThan"):
            since = at if since is None else max(since, at)
        elif str(one.get("Operator")).startswith("LessThan"):
            until = at if until is None else min(until, at)
    return since, until


def _comparison(name: str, operator: str) -> Callable[[float, float], bool]:
    comparisons: dict[str, Callable[[float, float], bool]] = {
        "Equals": lambda a, b: a // 1 == b,
        "NotEquals": lambda a, b: a // 1 != b,
        "GreaterThan": lambda a, b: a > b,
        "GreaterThanOrEqualTo": lambda a, b: a >= b,
        "LessThan": lambda a, b: a < b,
        "LessThanOrEqualTo": lambda a, b: a <= b,
    }
    if operator not in comparisons:
        raise invalid(f"The operator {operator} is not supported for the property {name}")
    return comparisons[operator]


def _instant(name: str, text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise invalid(f"Invalid timestamp '{text}' for {name}, expected the format YYYY-mm-dd'T'HH:MM:SS") from None


def _number(name: str, operator: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"The operator {operator} is not supported for the text property {name}") from None


def _same(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    if isinstance(value, (int, float)):
        try:
            return float(wanted) == value
        except ValueError:
            return False
    return str(value) == wanted


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, (int, float)) else float("nan")  # which no comparison finds


def _check_name(name: str) -> None:
    if name.partition(".")[0] not in KNOWN:
        raise invalid(f"Unknown property name: {name}")
