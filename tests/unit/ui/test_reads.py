"""Reads are cached under what their answers depend on."""

import re
from pathlib import Path

from ui import reads


def test_no_cached_read_has_an_argument_that_streamlit_leaves_out_of_the_key() -> None:
    text = Path(reads.__file__).read_text(encoding="utf-8")
    signatures = re.findall(r"@st\.cache_data\([^\n]*\)\ndef \w+\(([^)]*)\)", text)
    assert len(signatures) >= 10
    assert [one for one in signatures if re.search(r"(^|, )_\w+:", one)] == []
