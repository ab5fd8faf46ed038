"""Settings: what is wrong is said with file, line, key and expectation."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

import settings
from domain.money import nusd

SAMPLE = """
[database]
url = "sqlite:///elsewhere.db"
[aws]
regions = ["ap-southeast-1"]
[[aws.accounts]]
id = "123456789012"
name = "ml-prod"
role_arn = "arn:aws:iam::123456789012:role/trainwatch-reader"
external_id = "${EXTERNAL}"
[conventions]
company = "acme"
team_tags = ["Team", "Squad"]
[[teams]]
id = "rc"
name = "Risk control"
projects = ["project-a"]
monthly_budget_usd = 12000
notify = ["${SLACK}"]
[[teams]]
id = "nlp"
[collect]
jobs_seconds = 30
[[cost.prices]]
region = "us-east-1"
instance_type = "ml.g5.2xlarge"
usd_per_hour = 1.25
since = 2026-01-01
[access]
public_role = "none"
"""


def load(tmp_path: Path, text: str, **environment: str) -> settings.Settings:
    file = tmp_path / "trainwatch.toml"
    file.write_text(text)
    return settings.load(file, environment)


def fails(tmp_path: Path, text: str, **environment: str) -> str:
    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, text, **environment)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def test_an_empty_file_is_enough(tmp_path: Path) -> None:
    assert load(tmp_path, "").database.url == "sqlite:///var/trainwatch.db"


def test_no_file_is_enough_unless_one_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load(environment={}).teams == []
    with pytest.raises(settings.SettingsError, match="no such settings file"):
        settings.load(environment={"TRAINWATCH_CONFIG": "missing.toml"})


def test_everything_in_the_sample_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, SAMPLE, EXTERNAL="x-1", SLACK="slack://y")
    assert found.aws.accounts[0].external_id == "x-1"
    assert found.teams[0].notify == ["slack://y"]
    assert found.naming.team_tags == ("Team", "Squad")
    (price,) = found.price_overrides
    assert (price.rate_nusd, price.effective_at.date()) == (nusd("1.25"), date(2026, 1, 1))


def test_the_environment_speaks_last_and_in_toml_where_it_can(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        SAMPLE,
        EXTERNAL="x",
        SLACK="y",
        TRAINWATCH_COLLECT__JOBS_SECONDS="90",
        TRAINWATCH_DATABASE__URL="sqlite:///z.db",
    )
    assert (found.collect.jobs_seconds, found.database.url) == (90, "sqlite:///z.db")


def test_an_unknown_key_is_named_with_its_line_and_what_was_expected(tmp_path: Path) -> None:
    said = fails(tmp_path, "[database]\nurl = 'sqlite:///x'\n\n[collect]\njobs_second = 5\n")
    assert said.startswith("trainwatch.toml:5: collect.jobs_second: unknown key; expected one of: jobs_seconds")


def test_an_unknown_section_is_named_with_its_line(tmp_path: Path) -> None:
    assert fails(tmp_path, "\n[colect]\njobs_seconds = 5\n").startswith("trainwatch.toml:2: colect: unknown key; expected one of: database")


def test_a_wrong_type_is_named_with_its_line_and_what_was_found(tmp_path: Path) -> None:
    said = fails(tmp_path, '[[teams]]\nid = "a"\n[[teams]]\nid = "b"\nprojects = "x"\n')
    assert said.startswith("trainwatch.toml:5: teams.2.projects: ")
    assert "list" in said
    assert "found text" in said
    assert "'x'" not in said


def test_a_number_in_quotes_is_a_wrong_type(tmp_path: Path) -> None:
    assert "jobs_seconds" in fails(tmp_path, '[collect]\njobs_seconds = "60"\n')


def test_a_wrong_value_from_the_environment_names_the_variable(tmp_path: Path) -> None:
    said = fails(tmp_path, "", TRAINWATCH_ACCESS__PUBLIC_ROLE="admin")
    assert said.startswith("TRAINWATCH_ACCESS__PUBLIC_ROLE: access.public_role: ")


def test_a_reference_that_is_not_in_the_environment_is_named_with_its_line(tmp_path: Path) -> None:
    assert fails(tmp_path, SAMPLE, SLACK="y").startswith("trainwatch.toml:10: ${EXTERNAL} is not in the environment")


def test_text_that_is_no_toml_is_said_so(tmp_path: Path) -> None:
    assert "expected TOML" in fails(tmp_path, "[database\n")


def test_two_teams_of_one_id_are_refused(tmp_path: Path) -> None:
    assert "entries 1 and 2 have the same id" in fails(tmp_path, '[[teams]]\nid = "rc"\n[[teams]]\nid = "RC"\n')


def test_a_naming_template_without_an_owner_is_refused(tmp_path: Path) -> None:
    assert fails(tmp_path, '[conventions]\njob_name = "{timestamp}"\n').startswith(
        "trainwatch.toml:2: conventions.job_name: a naming template"
    )


def test_an_account_number_has_twelve_digits(tmp_path: Path) -> None:
    assert "aws.accounts.1.id" in fails(tmp_path, '[[aws.accounts]]\nid = "42"\n')


@pytest.mark.parametrize("host", ["https://trainwatch.acme.example", "trainwatch.acme.example:8501", "*", "a b", "x/y", ""])
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="no host name"):
        settings.Settings.model_validate({"access": {"hosts": [host]}})


@pytest.mark.parametrize("origin", ["portal.acme.example", "https://portal.acme.example/", "*", "https://*.acme.example", "'self'; x"])
def test_a_page_that_may_embed_is_named_by_its_origin(origin: str) -> None:
    with pytest.raises(ValidationError, match="no origin"):
        settings.Settings.model_validate({"access": {"embedded_in": [origin]}})


@pytest.mark.parametrize(
    "text",
    [
        "[database]\nurl = 7\nkeep_days = 'MARKER'\n",
        "[access]\nhosts = ['MARKER!']\n",
        "[access]\nembedded_in = ['MARKER']\n",
        "[access]\nmetrics_token = 'MARKER'\n",
        "[access]\npublic_role = 'MARKER'\n",
        "[sign_in]\nclient_secret = 'MARKER'\n",
        "[notify]\nquiet_zone = 'MARKER'\n",
        "[notify]\nquiet_hours = 'MARKER'\n",
        "[notify]\non_call = 'MARKER'\n",
        "[clean]\nmax_bytes = 'MARKER'\n",
        "[conventions]\nbucket = 'MARKER'\n",
        "[[aws.accounts]]\nid = 'MARKER'\n",
        "[[teams]]\nid = 'MARKER'\n[[teams]]\nid = 'marker'\n",
        "[[policies]]\nname = 'p'\nrules = ['MARKER']\n",
        "[[cost.prices]]\nregion = 'r'\ninstance_type = 't'\nusd_per_hour = 'MARKER'\n",
        "[database]\nurl = 'MARKER\n",
    ],
)
def test_no_error_repeats_the_value_of_a_setting(tmp_path: Path, text: str) -> None:
    assert "marker" not in fails(tmp_path, text).lower()


def test_an_error_of_a_value_from_the_environment_does_not_repeat_it_either(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError) as raised:
        settings.load(environment={"TRAINWATCH_ACCESS__PUBLIC_ROLE": "MARKER", "TRAINWATCH_DATABASE__KEEP_DAYS": "MARKER"})
    assert "MARKER" not in str(raised.value)
