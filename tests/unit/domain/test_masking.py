"""Secrets never reach the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.masking import MASK, is_secret, masked
from domain.references import s3_uris
from tests.secret_corpus import corpus


def test_environment_values_are_never_kept_only_their_names() -> None:
    assert masked({"Environment": {"LOG_LEVEL": "debug"}})["Environment"] == {"LOG_LEVEL": MASK}


@pytest.mark.parametrize(
    "name",
    [
        "db_password",
        "api_key",
        "apiKey",
        "HF_TOKEN",
        "wandb-api-key",
        "secret",
        "aws_access_key_id",
        "auth",
        "CONNECTION_STRING",
        "private_pem",
    ],
)
def test_a_parameter_whose_name_looks_like_a_secret_is_masked(name: str) -> None:
    assert masked({"HyperParameters": {name: "x"}})["HyperParameters"][name] == MASK


@pytest.mark.parametrize("name", ["max_tokens", "tokenizer", "num_tokens", "learning_rate", "sagemaker_program", "keyboard", "epochs"])
def test_ordinary_parameters_are_kept(name: str) -> None:
    assert masked({"HyperParameters": {name: "7"}})["HyperParameters"][name] == "7"


@pytest.mark.parametrize(
    "value",
    [
        "AKIA" + "A" * 16,
        '"hf_' + "a" * 30 + '"',
        "postgresql://user:hunter2@db/x",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx" + "a" * 9 + ".x",
    ],
)
def test_a_value_that_looks_like_a_secret_is_masked_whatever_its_name(value: str) -> None:
    assert is_secret("note", value)


def test_arguments_lose_their_secrets_and_keep_the_rest() -> None:
    arguments = ["--epochs", "3", "--api-key", "abc", "--db-password=xyz", "--verbose"]
    found = masked({"AlgorithmSpecification": {"ContainerArguments": arguments, "TrainingImage": "i"}})["AlgorithmSpecification"]
    assert found == {
        "ContainerArguments": ["--epochs", "3", "--api-key", MASK, f"--db-password={MASK}", "--verbose"],
        "TrainingImage": "i",
    }


def test_the_answer_itself_is_not_changed() -> None:
    answer = {"HyperParameters": {"password": "x"}}
    masked(answer)
    assert answer == {"HyperParameters": {"password": "x"}}


_PLACES = st.sampled_from(["s3://bucket-a/data/x.csv", "s3://bucket-b/models/training/job-1/", "https://bucket-c.s3.amazonaws.com/k/y?v=1"])
_SECRETS = st.sampled_from([planted.text for planted in corpus()])
_TEXTS = st.lists(st.one_of(_PLACES, _SECRETS, st.text(alphabet="ab /:=@?&-_", max_size=12)), min_size=1, max_size=4).map("".join)
_SPACED = st.lists(st.one_of(_PLACES, _SECRETS), min_size=1, max_size=4).map(" ".join)
_NAMES = st.sampled_from(["password", "note", "model_key", "HF_TOKEN", "--api-key", "base"])


@given(
    st.dictionaries(_NAMES, st.one_of(_TEXTS, _SPACED)),
    st.lists(st.one_of(_NAMES, _TEXTS, _SPACED), max_size=5),
    st.one_of(_TEXTS, _SPACED),
)
def test_whatever_a_clean_protects_it_protects_when_it_is_masked(parameters: dict[str, str], arguments: list[str], text: str) -> None:
    description = {
        "HyperParameters": parameters,
        "Environment": parameters,
        "AlgorithmSpecification": {"ContainerArguments": arguments},
        "Tags": [{"Key": name, "Value": value} for name, value in parameters.items()],
        "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": text}}}],
        "FailureReason": text,
    }
    kept = set(s3_uris(masked(description)))
    for uri in s3_uris(description):
        assert any(uri.startswith(place) for place in kept), (uri, kept)
