"""Job descriptions as they are kept: masked JSON, compressed one by one against a shared dictionary.

A description compresses to a tenth with the dictionary, a third without. The dictionary's id is in every frame, so that a
later release can ship a better one beside it and still read what the older one wrote.
"""

import hashlib
import threading
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import orjson
import zstandard

from domain.text import storable_tree

# Members that Describe sends and Search does not. They are kept, but a description without them is not a changed one.
# Source: the shapes DescribeTrainingJobResponse and TrainingJob.
DESCRIBE_ONLY = frozenset(
    {
        "InfraCheckConfig", "MlflowConfig", "MlflowDetails", "ProfilerRuleConfigurations", "ProfilerRuleEvaluationStatuses",
        "ProfilingStatus", "ProgressInfo", "RemoteDebugConfig",
    }
)  # fmt: skip
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def to_json(description: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, times in UTC with Z; text that no JSON can hold is made storable first."""
    try:
        return orjson.dumps(description, option=_OPTIONS)
    except (TypeError, ValueError):  # lone surrogates, integers beyond 64 bit, types unknown to JSON
        return orjson.dumps(storable_tree(dict(description)), option=_OPTIONS, default=str)


def digest(description: Mapping[str, Any], as_json: bytes) -> int:
    """A signed 64-bit digest of what counts as a change."""
    if not DESCRIBE_ONLY.isdisjoint(description):
        as_json = to_json({key: value for key, value in description.items() if key not in DESCRIBE_ONLY})
    return int.from_bytes(hashlib.blake2b(as_json, digest_size=8).digest(), "big", signed=True)


def pack(as_json: bytes) -> bytes:
    """Compressed for storing."""
    return _compressor().compress(as_json)


def unpack(packed: bytes) -> dict[str, Any]:
    """The description again."""
    return cast(dict[str, Any], orjson.loads(_decompressor().decompress(packed)))


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(files("storage").joinpath("descriptions-1.zdict").read_bytes())


_local = threading.local()  # zstd contexts must not be shared between threads


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=5, dict_data=_dictionary(), write_checksum=False)
    return cast(zstandard.ZstdCompressor, _local.compressor)


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return cast(zstandard.ZstdDecompressor, _local.decompressor)
