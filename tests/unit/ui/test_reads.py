"""Reads are cached under what their answers depend on."""

import inspect

from ui import reads


def test_no_cached_read_has_an_argument_that_streamlit_leaves_out_of_the_key() -> None:
    cached = [function for name, function in vars(reads).items() if name.startswith("_") and hasattr(function, "clear")]
    assert len(cached) >= 10
    assert [name for function in cached for name in inspect.signature(function).parameters if name.startswith("_")] == []
