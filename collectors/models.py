"""What SageMaker Models, endpoints and model packages refer to in S3: without knowing all of it, nothing is cleaned."""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from typing import Any

from aws.errors import AccessDenied, AwsError, CredentialsUnusable, Misconfigured, NotFound, Unreachable, translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from domain.references import s3_uris
from storage.references import COLLECTOR, COMPLETE_AT, THAT_IS_ALL, ReferenceRow, is_keepable

NAME = COLLECTOR
REQUIRED_PERMISSIONS = (
    "sagemaker:ListModels",
    "sagemaker:DescribeModel",
    "sagemaker:ListEndpoints",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:ListInferenceComponents",
    "sagemaker:DescribeInferenceComponent",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:DescribeModelPackage",
)
PAGE = 100
TOGETHER, THREADS, PAGES_A_BATCH = 40, 4, 20
# What an endpoint writes is no reference of its model.
_WRITES = frozenset({"DataCaptureConfig", "AsyncInferenceConfig"})
_IN_THE_WAY = (CredentialsUnusable, Unreachable, Misconfigured)  # of every other call too

Clock = Callable[[], datetime]
Json = Mapping[str, Any]


def collect_models(clients: Clients, now: Clock) -> Batches:
    """One batch with every reference of the scope, after others that say how far it is.

    Only when every list was paged to its end and everything in it was described, they are handed on as all there are, with
    `complete_at` for the watermark; else those found are added to what was known, and a problem says what is missing.
    Raises AwsError. Source: the List and Describe operations of models, endpoints, inference components and model packages.
    """
    moment = now()
    census = _Census(clients)
    try:
        yield from census.models()
        yield from census.endpoints()
        yield from census.components()
        yield from census.packages()
    except AwsError:
        yield Batch(references=list(census.rows))
        raise
    if census.problems:
        yield Batch(references=list(census.rows), problems=list(census.problems))
    else:
        yield Batch(references=[*census.rows, THAT_IS_ALL], state={COMPLETE_AT: moment.isoformat()})


class _Census:
    """One run: the references so far, in the order in which they were found, and what keeps them from being all."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.rows: dict[ReferenceRow, None] = {}
        self.problems: dict[str, None] = {}
        self._models: dict[str, bool] = {}  # whether those asked for are there
        self._packages: set[str] = set()  # described, by ARN and by name
        self._packages_named: dict[str, str] = {}  # by models, which may name those of other accounts: which model
        self._denied: dict[str, AccessDenied] = {}  # by operation: what is denied once is not asked a thousand times

    def models(self) -> Batches:
        """Models, whatever containers they have; the oldest first, so that one made meanwhile is still seen."""
        found = yield from self._listed("list_models", "Models", SortBy="CreationTime", SortOrder="Ascending")
        yield from self._each("models", [str(one["ModelName"]) for one in found], self._model)

    def endpoints(self) -> Batches:
        """Endpoints with their configurations; a model that is deleted, but served, refers to we know not what."""
        found = yield from self._listed("list_endpoints", "Endpoints")
        yield from self._each("endpoints", [str(one["EndpointName"]) for one in found], self._endpoint)

    def components(self) -> Batches:
        """Inference components, which bring models, or artifacts of their own, to endpoints that have none."""
        found = yield from self._listed("list_inference_components", "InferenceComponents")
        yield from self._each("inference components", [str(one["InferenceComponentName"]) for one in found], self._component)

    def packages(self) -> Batches:
        """Model packages: every version of every group, those without a group, and whichever else a model is made of."""
        member = "ModelPackageSummaryList"
        groups = yield from self._listed("list_model_package_groups", "ModelPackageGroupSummaryList")
        found = yield from self._listed("list_model_packages", member, ModelPackageType="Both")
        for group in groups:
            found += yield from self._listed("list_model_packages", member, ModelPackageGroupName=group["ModelPackageGroupName"])
        arns = dict.fromkeys(str(one["ModelPackageArn"]) for one in found)
        yield from self._each("model packages", list(arns), self._package)
        others = [one for one in self._packages_named if one not in self._packages]
        yield from self._each("model packages that models are made of", others, self._package)

    def _model(self, name: str) -> None:
        said = self._asked("describe_model", ModelName=name)
        self._models[name] = said is not None
        if said is not None:
            self._refers("model", name, said)
            containers = [said.get("PrimaryContainer"), *(said.get("Containers") or [])]
            named = [container.get("ModelPackageName") for container in containers if isinstance(container, Mapping)]
            self._packages_named |= {str(one): name for one in named if one}

    def _endpoint(self, name: str) -> None:
        said = self._asked("describe_endpoint", EndpointName=name)
        if said is None:
            return
        pending = said.get("PendingDeploymentSummary") or {}
        configurations = [said.get("EndpointConfigName"), pending.get("EndpointConfigName")]
        for configuration in dict.fromkeys(str(one) for one in configurations if one):
            self._configuration(name, configuration)

    def _configuration(self, endpoint: str, name: str) -> None:
        said = self._asked("describe_endpoint_config", EndpointConfigName=name)
        if said is None:
            self._misses(f"endpoint {endpoint} has the configuration {name}, which is deleted: which models it serves is not known")
            return
        self._refers("endpoint", endpoint, {member: value for member, value in said.items() if member not in _WRITES})
        for variant in [*(said.get("ProductionVariants") or []), *(said.get("ShadowProductionVariants") or [])]:
            if variant.get("ModelName"):
                self._served(f"endpoint {endpoint}", str(variant["ModelName"]))

    def _component(self, name: str) -> None:
        said = self._asked("describe_inference_component", InferenceComponentName=name)
        if said is None:
            return
        self._refers("inference_component", name, said)
        for specification in [said.get("Specification") or {}, *(said.get("Specifications") or [])]:
            if specification.get("ModelName"):
                self._served(f"inference component {name}", str(specification["ModelName"]))

    def _served(self, by: str, model: str) -> None:
        """A model that something serves: it is among those described, or is looked for."""
        if model not in self._models:
            self._model(model)
        if not self._models[model]:
            self._misses(f"{by} serves the model {model}, which is deleted: what it refers to is not known")

    def _package(self, arn: str) -> None:
        said = self._asked("describe_model_package", ModelPackageName=arn)
        name = arn.rpartition("model-package/")[2]
        if said is not None:
            self._packages |= {arn, name}
            self._refers("model_package", name, said)
        elif arn in self._packages_named:
            model = self._packages_named[arn]
            self._misses(f"model {model} is made of the model package {name}, which is deleted: what it refers to is not known")

    def _refers(self, kind: str, name: str, said: Json) -> None:
        for uri in s3_uris({member: value for member, value in said.items() if member != "ResponseMetadata"}):
            row = ReferenceRow(kind, name, uri)
            if is_keepable(row):
                self.rows[row] = None
            else:
                self._misses(f"{kind.replace('_', ' ')} {name} refers to a place with characters that no database takes")

    def _misses(self, problem: str) -> None:
        self.problems[problem] = None

    def _listed(self, operation: str, member: str, **request: str) -> Generator[Batch, None, list[Json]]:
        """Everything of a list; where it cannot be had to its end, that is a problem."""
        found: list[Json] = []
        token: dict[str, str] = {}
        for number in count(1):
            try:
                answer = self._call(operation, **request, **token, MaxResults=PAGE)
            except _IN_THE_WAY:
                raise
            except AwsError as error:
                self._misses(str(error))
                return found
            found += answer.get(member, [])
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}
            if number % PAGES_A_BATCH == 0:
                yield Batch(progress=f"{operation.replace('_', ' ')}: {len(found):,} so far")
        return found

    def _each(self, noun: str, names: Sequence[str], look: Callable[[str], None]) -> Batches:
        """A look at each, some at a time; one that fails is a problem."""

        def careful(name: str) -> None:
            try:
                look(name)
            except _IN_THE_WAY:
                raise
            except AwsError as error:
                self._misses(str(error))

        for start in range(0, len(names), TOGETHER):
            with ThreadPoolExecutor(THREADS, thread_name_prefix=NAME) as pool:
                list(pool.map(careful, names[start : start + TOGETHER]))
            yield Batch(progress=f"looking at {noun}: {min(start + TOGETHER, len(names)):,} of {len(names):,}")

    def _asked(self, operation: str, **request: str) -> Json | None:
        """An answer; None where AWS knows no such thing (any more)."""
        try:
            return self._call(operation, **request)
        except NotFound:
            return None

    def _call(self, operation: str, **request: str | int) -> Json:
        if operation in self._denied:
            raise self._denied[operation]
        try:
            with translated(self._clients.where):
                answer: Json = getattr(self._clients.sagemaker, operation)(**request)
        except AccessDenied as error:
            self._denied[operation] = error
            raise
        return answer
