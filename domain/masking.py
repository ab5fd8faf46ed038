"""Secrets in what AWS describes: masked before anything is stored.

Environment values are never kept. Every other string is looked through: under a name that says its value is a secret all of it goes,
elsewhere what its form or its neighbourhood gives away. A false alarm costs a value on a page, a miss costs a credential. What only
identifies stays. Of what is masked the addresses in S3 stay: what a job points at is never cleaned (see docs/decisions/0012).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from domain.references import s3_uris
from domain.secret_names import suspicion
from domain.secret_text import MASK, is_harmless, is_suspect, masked_text

__all__ = ["MASK", "MASKED_URIS", "is_secret", "masked", "masked_text"]

MASKED_URIS = "MaskedS3Uris"  # our own member of a description: the addresses that were in what is masked

# Members that are what they are by AWS's rules, and by which jobs are told apart.
_IDENTITIES = frozenset(
    {"TrainingJobName", "TrainingJobArn", "TuningJobArn", "LabelingJobArn", "AutoMLJobArn", "HyperParameterTuningJobName", MASKED_URIS}
)
# Members whose names people chose: these names say what the values are.
_NAMED_BY_PEOPLE = frozenset({"HyperParameters", "RuleParameters", "HookParameters", "CollectionParameters", "ProfilingParameters"})
_COMMAND = frozenset({"ContainerArguments", "ContainerEntrypoint"})
_OPTION = re.compile(r"--?([\w\-.]+)(?:=(.*))?", re.DOTALL)
_NAMELESS = frozenset(  # members of every job in which nobody chooses names
    {
        "SecondaryStatusTransitions",
        "FinalMetricDataList",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "ModelArtifacts",
        "VpcConfig",
        "CheckpointConfig",
        "WarmPoolStatus",
        "TensorBoardOutputConfig",
    }
)
_CLEAN: set[str] = set()
_MOST_CLEAN, _LONGEST_CLEAN = 20_000, 200
_LONG_NAME = 12  # a shorter name may be a part of anything
_S3 = re.compile(r"s3[an]?://\S+", re.IGNORECASE)


def is_secret(name: str, value: object = None) -> bool:
    """Whether a parameter's name, or its value, says that it is a secret."""
    text = value if isinstance(value, str) else ""
    if text and masked_text(text) != text:
        return True
    return _says_secret(name, text or None)


def masked(description: Mapping[str, Any]) -> dict[str, Any]:
    """The description with environment values removed and secrets masked; the input is not changed."""
    kept = dict(description)
    rest = {member: value for member, value in kept.items() if member != "Environment" and member not in _IDENTITIES}
    masking = _Masking(by_form=_is_suspect(rest, str(kept.get("TrainingJobName") or "")))
    environment = kept.get("Environment")
    if isinstance(environment, dict):
        kept["Environment"] = dict.fromkeys(map(_masked_name, environment), MASK)
        masking.hidden += environment.values()
    for member, value in rest.items():
        if masking.by_form or (type(value) in (dict, list) and _holds_names(member, value)):
            kept[member] = masking.member(member, value)
    uris = sorted({_bare(uri) for uri in s3_uris(masking.hidden)})
    return kept | {MASKED_URIS: uris} if uris else kept


def _is_suspect(description: Mapping[str, Any], job: str) -> bool:
    """Whether any string may hold a secret by its form: asked of all new ones at once, which is quick.

    Most strings of a description stand in many, addresses but for the job's own name in them: what was found clean is not looked at again.
    """
    new = list[str]()
    _add_new_strings(description.values(), new, job)
    if new and is_suspect("\n".join(new)):
        return True
    if len(_CLEAN) > _MOST_CLEAN:
        _CLEAN.clear()
    _CLEAN.update(text for text in new if len(text) <= _LONGEST_CLEAN)
    return False


def _add_new_strings(values: Iterable[Any], new: list[str], job: str) -> None:
    for value in values:
        kind = type(value)
        if kind is str:
            if value not in _CLEAN:
                text = value.replace(job, "job") if len(job) >= _LONG_NAME and value.startswith("s3://") else value
                if text not in _CLEAN:
                    new.append(text)
        elif kind is dict:
            _add_new_strings(value.values(), new, job)
        elif kind is list:
            _add_new_strings(value, new, job)


def _holds_names(member: str, value: Any) -> bool:
    """Whether a member holds names that people chose, at any depth."""
    if member in _NAMED_BY_PEOPLE or member in _COMMAND or member == "Tags":
        return True
    if member in _NAMELESS:
        return False
    if type(value) is dict:
        return any(_holds_names(name, inside) for name, inside in value.items() if type(inside) in (dict, list))
    return type(value) is list and any(_holds_names("", inside) for inside in value)


@lru_cache(maxsize=4096)
def _masked_name(name: str) -> str:
    return masked_text(name)


class _Masking:
    """One description's masking. `by_form` is whether any of its strings looks like a secret; `hidden` collects what was masked."""

    def __init__(self, *, by_form: bool) -> None:
        self.by_form = by_form
        self.hidden: list[Any] = []

    def member(self, name: str, value: Any) -> Any:
        """A member's value, masked."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            if name in _NAMED_BY_PEOPLE:
                return self._map(value)
            return {key: inside if key in _IDENTITIES else self.member(key, inside) for key, inside in value.items()}
        if isinstance(value, list):
            if name in _COMMAND:
                return self._arguments(value)
            return [self._tag(item) if name == "Tags" else self.member("", item) for item in value]
        return value

    def _text(self, text: str) -> str:
        result = masked_text(text) if self.by_form else text
        if result != text:
            self.hidden.append(text)
        return result

    def _map(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, value in parameters.items():
            shown_name = _masked_name(str(name))
            while shown_name in result:
                shown_name += MASK  # two names that differ in what is masked are still two
            result[shown_name] = self._value(str(name), value)
        return result

    def _value(self, name: str, value: Any) -> Any:
        """A value behind a name that somebody chose."""
        if isinstance(value, str):
            if _says_secret(name, value):
                self.hidden.append(value)
                return MASK
            return self._text(value)
        if value is None or isinstance(value, bool) or suspicion(name) != "strong":
            return self.member(name, value)
        self.hidden.append(value)
        return MASK

    def _tag(self, tag: Any) -> Any:
        if not isinstance(tag, dict) or not isinstance(tag.get("Key"), str) or not isinstance(tag.get("Value"), str):
            return tag
        key, value = tag["Key"], tag["Value"]
        shown = {"Key": _masked_name(key), "Value": self._value(key, value)}
        return tag if (shown["Key"], shown["Value"]) == (key, value) else tag | shown

    def _arguments(self, arguments: list[Any]) -> list[Any]:
        """Command-line arguments with the values of `--secret value` and `--secret=value` masked."""
        result: list[Any] = []
        asked_for = ""
        for argument in arguments:
            option = _OPTION.fullmatch(argument) if isinstance(argument, str) else None
            if option is None:
                result.append(self._value(asked_for, argument))
            elif option[2] is None:
                result.append(self._text(argument))
            else:
                result.append(f"{argument.partition('=')[0]}={self._value(option[1], option[2])}")
            asked_for = option[1] if option is not None and option[2] is None else ""
        return result


def _says_secret(name: str, value: str | None) -> bool:
    """Whether a name says that its value is a secret; an address in S3 is one behind a plain word of secrets alone."""
    says = suspicion(name)
    if says is None or (value is not None and is_harmless(value)):
        return False
    return says == "strong" or value is None or not _S3.fullmatch(value.strip("\"' "))


def _bare(uri: str) -> str:
    """The address; its bucket alone where the rest of it holds a secret, which is as if all of the bucket were pointed at."""
    if masked_text(uri) == uri:
        return uri
    bucket = uri.removeprefix("s3://").partition("/")[0].rpartition("@")[2]
    return f"s3://{bucket}/"
