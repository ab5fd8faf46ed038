"""Secrets in what AWS describes: masked before anything is stored.

Environment values are never kept. Hyperparameters, container arguments and the like are kept unless their name or their
value looks like a secret: a false alarm costs a value on a page, a miss costs a credential. Of what is masked the addresses in
S3 alone stay: what a job points at is never cleaned (see docs/decisions/0012).
"""

import re
from collections.abc import Mapping
from typing import Any

from domain.references import s3_uris

MASK = "***"
MASKED_URIS = "MaskedS3Uris"  # our own member of a description: the addresses that were in what is masked

_SECRET_NAME = re.compile(
    r"secret|passw|pwd|credential|private|api[_-]?key|access[_-]?key|auth|(?:^|[_\-.])token$|(?:api|hf|hub|wandb|access|session|bearer|refresh)[_\-.]?token"
    r"|conn(?:ection)?[_-]?str|dsn$|signature|wandb[_-]?key|(?:^|[_\-.])key$|encryption",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS access key ids
    r"|hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_\-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{20,}|xox[abprs]-[\w\-]{10,}"
    r"|eyJ[\w\-]{10,}\.eyJ[\w\-]{10,}\."  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]+:[^/\s@]+@"  # credentials in a URL
)
_SECRET_ARGUMENT = re.compile(r"^--?([\w\-.]+)(?:=(.*))?$", re.DOTALL)


def is_secret(name: str, value: object = None) -> bool:
    """Whether a parameter's name, or its value, looks like a secret."""
    return bool(_SECRET_NAME.search(name)) or (isinstance(value, str) and bool(_SECRET_VALUE.search(value)))


def masked(description: Mapping[str, Any]) -> dict[str, Any]:
    """The description with environment values removed and secret-looking parameters masked; the input is not changed."""
    kept, hidden = dict(description), list[Any]()
    environment, hyperparameters = kept.get("Environment"), kept.get("HyperParameters")
    if isinstance(environment, dict):
        kept["Environment"] = dict.fromkeys(environment, MASK)
        hidden += environment.values()
    if isinstance(hyperparameters, dict):
        kept["HyperParameters"] = shown = _masked_map(hyperparameters)
        hidden += [value for name, value in hyperparameters.items() if shown[name] is not value]
    algorithm = kept.get("AlgorithmSpecification")
    if isinstance(algorithm, dict) and (algorithm.get("ContainerArguments") or algorithm.get("ContainerEntrypoint")):
        members = [member for member in ("ContainerArguments", "ContainerEntrypoint") if isinstance(algorithm.get(member), list)]
        kept["AlgorithmSpecification"] = algorithm | {member: _masked_arguments(algorithm[member]) for member in members}
        hidden += [algorithm[member] for member in members]
    if isinstance(kept.get("Tags"), list):
        tags = kept["Tags"]
        kept["Tags"] = [_masked_tag(tag) for tag in tags]
        hidden += [tag for tag, shown_tag in zip(tags, kept["Tags"], strict=True) if shown_tag is not tag]
    uris = sorted({_bare(uri) for uri in s3_uris(hidden)})
    return kept | {MASKED_URIS: uris} if uris else kept


def _bare(uri: str) -> str:
    """The address; its bucket alone where the rest of it looks like a secret, which is as if all of the bucket were pointed at."""
    if not _SECRET_VALUE.search(uri):
        return uri
    bucket = uri.removeprefix("s3://").partition("/")[0].rpartition("@")[2]
    return f"s3://{bucket}/"


def _masked_map(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: MASK if is_secret(str(name), value) else value for name, value in parameters.items()}


def _masked_tag(tag: Any) -> Any:
    """A tag is a label on purpose, so only its value gives it away."""
    if isinstance(tag, dict) and isinstance(tag.get("Value"), str) and _SECRET_VALUE.search(tag["Value"]):
        return tag | {"Value": MASK}
    return tag


def _masked_arguments(arguments: list[Any]) -> list[Any]:
    """Command-line arguments with the values of `--secret value` and `--secret=value` masked."""
    result: list[Any] = []
    mask_next = False
    for argument in arguments:
        text = argument if isinstance(argument, str) else ""
        option = _SECRET_ARGUMENT.match(text)
        if mask_next and not option:
            result.append(MASK)
        elif option and is_secret(option[1]) and option[2] is not None:
            result.append(f"{text.split('=', 1)[0]}={MASK}")
        else:
            result.append(_SECRET_VALUE.sub(MASK, text) if text else argument)
        mask_next = bool(option and is_secret(option[1]) and option[2] is None)
    return result
