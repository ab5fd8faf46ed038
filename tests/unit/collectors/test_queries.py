"""Which series of a job are asked for."""

import pytest

from collectors.metrics import MOST_HOSTS, QUERIES, queries_of
from domain.findings.situation import CPU, GPU
from domain.training_job import training_job_from
from tests.descriptions import description


@pytest.mark.parametrize(("instance_type", "metric"), [("ml.p4d.24xlarge", GPU), ("ml.m5.xlarge", CPU)])
@pytest.mark.parametrize("hosts", [MOST_HOSTS, MOST_HOSTS + 1, 128, 400])
def test_every_host_of_a_wide_job_is_asked_about_what_its_rules_need(instance_type: str, metric: str, hosts: int) -> None:
    names = [{"Name": f"metric-{number}", "Regex": "x"} for number in range(40)]
    described = description(
        ResourceConfig={"InstanceType": instance_type, "InstanceCount": hosts}, AlgorithmSpecification={"MetricDefinitions": names}
    )
    found = queries_of(7, training_job_from(described), described)
    assert len(found) <= QUERIES
    assert {query.host for query in found if query.metric == metric} == set(range(1, hosts + 1))
    assert {query.metric for query in found} >= {f"metric-{number}" for number in range(40)}
