"""Every S3 address that a description holds is found, whatever member it is in and however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.references import LONGEST_URI, s3_uris


def test_addresses_are_found_at_any_depth() -> None:
    said = {
        "PrimaryContainer": {"ModelDataUrl": "s3://b/one.tar.gz", "Environment": {"DIR": "s3://b/two/"}},
        "Containers": [{"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://b/three/"}}}, {"AdditionalModelDataSources": ({"S3Uri": "S3://b/4"},)}],
        "CreationTime": 7,
        "Nothing": None,
    }  # fmt: skip
    assert set(s3_uris(said)) == {"s3://b/one.tar.gz", "s3://b/two/", "s3://b/three/", "s3://b/4"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://b.s3.us-east-1.amazonaws.com/models/a%20b.tar.gz", "s3://b/models/a b.tar.gz"),
        ("https://s3.eu-west-1.amazonaws.com/b/models/x", "s3://b/models/x"),
        ("https://b.with.dots.s3-us-west-2.amazonaws.com/x?X-Amz-Signature=secret", "s3://b.with.dots/x"),
        ("https://b.s3.dualstack.us-east-1.amazonaws.com/x", "s3://b/x"),
        ("https://b.s3.cn-north-1.amazonaws.com.cn/x", "s3://b/x"),
        ('["s3://b/x", "s3://b/y"]', "s3://b/y"),
        ("--model s3://b/x --other", "s3://b/x"),
        ("see (s3://b/x).", "s3://b/x"),
        ("s3a://b/x", "s3://b/x"),
        ("  s3://b/a key, with spaces  ", "s3://b/a key, with spaces"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, expected: str) -> None:
    assert expected in set(s3_uris(text))


@pytest.mark.parametrize("text", ["", "https://huggingface.co/models/x", "arn:aws:s3:::b/x", "no address", "https://s3.example.com/b/x"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert list(s3_uris(text)) == []


def test_what_is_longer_than_any_address_is_none() -> None:
    assert list(s3_uris("s3://b/" + "x" * LONGEST_URI)) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200))
def test_any_key_survives_in_a_member_of_its_own(key: str) -> None:
    if key == key.strip() and len(key.encode()) <= 1000:
        assert f"s3://bucket/{key}" in set(s3_uris({"ModelDataUrl": f"s3://bucket/{key}"}))
