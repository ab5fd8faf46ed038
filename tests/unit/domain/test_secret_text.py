"""Secrets inside of texts: every form we know is masked, and what only identifies stays readable."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.lifecycle import describe
from demo.workload import workload
from domain.masking import MASK, masked
from domain.secret_names import suspicion
from domain.secret_text import masked_text
from tests.secret_corpus import corpus

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
PLANTED = corpus()
SECRET_NAMES = (
    "pass db_pass passphrase pw jwt cookie bearer password PASSWORD dbPassword api-key apiKey APIKey "
    "HF_TOKEN token access_key_id.secret aws_access_key_id AccountKey auth auth_token private_pem "
    "CONNECTION_STRING clientSecret wandb_key sig signature otp dsn creds"
)
PLAIN_NAMES = (
    "author authors authored max_tokens tokenizer num_tokens eos_token pad_token_id token_type keyboard "
    "keypoints compass passenger passage bypass pwm secretary cookiecutter signal design assignment "
    "sort_key s3_key primary_key monkey turkey learning_rate epochs auth_type secret_name secret_arn "
    "signature_def"
)


def test_every_form_of_the_corpus_is_masked() -> None:
    assert len({planted.name for planted in PLANTED}) >= 150
    assert [planted for planted in PLANTED if planted.secret in masked_text(planted.text)] == []


def test_what_stands_around_a_secret_stays() -> None:
    assert masked_text("could not reach https://olga:hunter2@db.internal/x: 401") == f"could not reach https://{MASK}@db.internal/x: 401"
    assert masked_text('{"lr": 0.1, "db_pass": "a b", "n": 2}') == f'{{"lr": 0.1, "db_pass": "{MASK}", "n": 2}}'
    assert (
        masked_text("https://b.s3.amazonaws.com/a/b?X-Amz-Signature=ff00&v=2")
        == f"https://b.s3.amazonaws.com/a/b?X-Amz-Signature={MASK}&v=2"
    )


@pytest.mark.parametrize(
    "text",
    [
        "s3://acme-sm-rc-fraud/models/training/rc-fraud-xgboost-20261101-101500/output/model.tar.gz",
        "s3://bucket/key@2/part=1/file.parquet",
        "arn:aws:iam::123456789012:role/SageMaker-Rc-Fraud-ExecutionRole",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/train@sha256:" + "0f" * 32,
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-gpu-py311-cu121-ubuntu20.04-sagemaker",
        "8b1a9953-c461-4296-a827-abf8c47804d7",
        "d670460b4b4aece5915caf5c68d12f560a9fe3e4",
        "meta-llama/Meta-Llama-3-70B-Instruct",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "olga@example.com",
        "git@github.com:acme/train.git",
        "git+ssh://git@github.com/acme/train.git",
        "https://host.internal:8080/p@th/x",
        "ClientError: NoSuchKey: The specified key does not exist.",
        "AlgorithmError: KeyError: 'label'",
        "Basic training of a model; Bearer of bad news",
        "max_tokens=512 eos_token=</s> pad_token_id: 0 tokenizer=gpt2",
        "author: Olga, authored by: Rc",
        "task-classification-of-images-2026, sk-learn-iris, risk-scoring-v2",
        "password: *** and https://***@host",
        "http://localhost:8501/job?job=rc-fraud-xgboost&sort=cost",
        "sort_key=created, partition_key: day, cache_key=abc123def456ghi789",
    ],
)
def test_what_only_identifies_stays_readable(text: str) -> None:
    assert masked_text(text) == text


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_names_of_secrets_by_whole_words(name: str) -> None:
    assert suspicion(name) == "strong"


@pytest.mark.parametrize("name", PLAIN_NAMES.split())
def test_names_that_only_look_like_them(name: str) -> None:
    assert suspicion(name) is None


@given(st.text(max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked_text(masked_text(text)) == masked_text(text)


@given(st.sampled_from(PLANTED), st.text(alphabet=" \n\t,;()", max_size=3), st.text(alphabet=" \n\t,;()", max_size=3))
def test_masking_twice_is_masking_once_where_there_are_secrets(planted: Any, before: str, after: str) -> None:
    once = masked_text(before + planted.text + after)
    assert planted.secret not in once
    assert masked_text(once) == once


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in inside for text in _strings(part)]


def test_at_most_one_string_in_a_thousand_of_the_demo_and_of_recorded_jobs_is_masked_in_error() -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    plans = [plan for plan in workload(7, 800, now) if plan.created_at <= now]
    descriptions = [describe(plan, now) | {"Tags": [{"Key": key, "Value": value} for key, value in plan.tags.items()]} for plan in plans]
    descriptions += [json.loads(path.read_text()) for path in RECORDED.rglob("*.json")]
    total, changed = 0, list[str]()
    for description in descriptions:
        description.pop("Environment", None)  # is never kept, whatever it is
        before, after = _strings(description), _strings(masked(description))
        total += len(before)
        changed += [text for text in before if text not in after]
    planted_by_the_demo = {'"local-0123456789abcdef"', '"hunter2"'}
    assert total > 10_000
    assert len([text for text in changed if text not in planted_by_the_demo]) <= total / 1000, changed
