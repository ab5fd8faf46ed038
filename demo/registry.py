"""Models, endpoints, inference components and model packages: those made of completed jobs, and those made over the wire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from demo.books import Books, Entry
from demo.call import Call, Operation
from demo.errors import AwsError, invalid
from demo.pages import Pages, page_size
from demo.plan import JobPlan

AFTER: Final = timedelta(minutes=10)
"""How long after a job's end somebody makes a model of it."""
Json = dict[str, object]


@dataclass
class Shelf:
    """What one account has in one region, each kind by name; taken in are the jobs it was made from."""

    models: dict[str, Json] = field(default_factory=dict)
    configurations: dict[str, Json] = field(default_factory=dict)
    endpoints: dict[str, Json] = field(default_factory=dict)
    components: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    packages: dict[str, Json] = field(default_factory=dict)
    taken_in: set[int] = field(default_factory=set)


class Registry:
    """The operations on what is deployed and registered."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._pages: Pages[Json] = Pages()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        model, configuration, endpoint = "ModelName", "EndpointConfigName", "EndpointName"
        component, group, package = "InferenceComponentName", "ModelPackageGroupName", "ModelPackageName"
        return {
            "CreateModel": self._creates(model, "model", lambda shelf: shelf.models),
            "DescribeModel": self._describes(model, "model", lambda shelf: shelf.models),
            "DeleteModel": self._deletes(model, "model", lambda shelf: shelf.models),
            "ListModels": self._lists("Models", (model, "ModelArn"), lambda shelf: shelf.models),
            "CreateEndpointConfig": self._creates(configuration, "endpoint-config", lambda shelf: shelf.configurations),
            "DescribeEndpointConfig": self._describes(configuration, "endpoint configuration", lambda shelf: shelf.configurations),
            "DeleteEndpointConfig": self._deletes(configuration, "endpoint configuration", lambda shelf: shelf.configurations),
            "CreateEndpoint": self._creates(endpoint, "endpoint", lambda shelf: shelf.endpoints),
            "DescribeEndpoint": self._describes(endpoint, "endpoint", lambda shelf: shelf.endpoints),
            "DeleteEndpoint": self._deletes(endpoint, "endpoint", lambda shelf: shelf.endpoints),
            "ListEndpoints": self._lists("Endpoints", (endpoint, "EndpointArn", "EndpointStatus"), lambda shelf: shelf.endpoints),
            "CreateInferenceComponent": self._creates(component, "inference-component", lambda shelf: shelf.components),
            "DescribeInferenceComponent": self._describes(component, "inference component", lambda shelf: shelf.components),
            "ListInferenceComponents": self._lists("InferenceComponents", (component,), lambda shelf: shelf.components),
            "CreateModelPackageGroup": self._creates(group, "model-package-group", lambda shelf: shelf.groups),
            "ListModelPackageGroups": self._lists("ModelPackageGroupSummaryList", (group,), lambda shelf: shelf.groups),
            "CreateModelPackage": self.create_package,
            "DescribeModelPackage": self.describe_package,
            "DeleteModelPackage": self._deletes(package, "ModelPackage", lambda shelf: shelf.packages),
            "ListModelPackages": self.list_packages,
        }

    def create_package(self, call: Call) -> Json:
        """A version of a group, or a package by itself."""
        group = call.text("ModelPackageGroupName").rpartition("/")[2]
        return {"ModelPackageArn": _register(self._shelf(call), call, group, call.text("ModelPackageName"), dict(call.body), call.now)}

    def describe_package(self, call: Call) -> Json:
        """A package by its ARN, or its name."""
        name = call.text("ModelPackageName").rpartition("model-package/")[2]
        found = self._shelf(call).packages.get(name)
        if found is None:
            raise invalid(f"ModelPackage {_arn(call, 'model-package', name)} does not exist.")
        return found

    def list_packages(self, call: Call) -> Json:
        """Those without a group, unless versions are asked for, or those of one group."""
        group, kind = call.text("ModelPackageGroupName").rpartition("/")[2], call.text("ModelPackageType") or "Unversioned"
        found = list(self._shelf(call).packages.values())
        if group:
            found = [one for one in found if one.get("ModelPackageGroupName") == group]
        elif kind != "Both":
            found = [one for one in found if ("ModelPackageGroupName" in one) == (kind == "Versioned")]
        members = ("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageStatus")
        return self._paged(call, "ModelPackageSummaryList", found, members)

    def _creates(self, named: str, resource: str, kept: Callable[[Shelf], dict[str, Json]]) -> Operation:
        arn_member = named.removesuffix("Name") + "Arn"

        def create(call: Call) -> Json:
            name = call.text(named)
            if name in kept(self._shelf(call)):
                raise AwsError("ValidationException", f'Cannot create already existing {resource} "{_arn(call, resource, name)}".')
            arn = _arn(call, resource, name)
            kept(self._shelf(call))[name] = {**call.body, arn_member: arn, "CreationTime": call.now, **_STATUS.get(resource, {})}
            return {arn_member: arn}

        return create

    def _describes(self, named: str, noun: str, kept: Callable[[Shelf], dict[str, Json]]) -> Operation:
        def describe(call: Call) -> Json:
            found = kept(self._shelf(call)).get(call.text(named))
            if found is None:
                raise invalid(f'Could not find {noun} "{_arn(call, noun.replace(" ", "-"), call.text(named))}".')
            return found

        return describe

    def _deletes(self, named: str, noun: str, kept: Callable[[Shelf], dict[str, Json]]) -> Operation:
        def delete(call: Call) -> Json:
            name = call.text(named).rpartition("model-package/")[2]
            if kept(self._shelf(call)).pop(name, None) is None:
                raise invalid(f'Could not find {noun} "{_arn(call, noun.replace(" ", "-"), name)}".')
            return {}

        return delete

    def _lists(self, member: str, members: tuple[str, ...], kept: Callable[[Shelf], dict[str, Json]]) -> Operation:
        return lambda call: self._paged(call, member, list(kept(self._shelf(call)).values()), members)

    def _paged(self, call: Call, member: str, found: list[Json], members: tuple[str, ...]) -> Json:
        size = page_size(call.body.get("MaxResults"), default=10)
        token: str | None
        if call.text("NextToken"):
            page, token, _ = self._pages.following(call.text("NextToken"), size)
        else:
            found.sort(key=lambda one: str(one["CreationTime"]), reverse=call.text("SortOrder") != "Ascending")
            page, token = self._pages.first(found, size)
        said: Json = {member: [{name: one[name] for name in (*members, "CreationTime") if name in one} for one in page]}
        return said if token is None else said | {"NextToken": token}

    def _shelf(self, call: Call) -> Shelf:
        """What there is by now; jobs that have completed since are taken in first."""
        with self._books.lock:
            shelf = self._shelves.setdefault((call.account, call.region), Shelf())
            for entry in self._books.shard(call.account, call.region):
                if entry.plan.registered and id(entry) not in shelf.taken_in and _is_done(entry, call.now):
                    shelf.taken_in.add(id(entry))
                    _take_in(shelf, call, entry.plan, entry.life.ended_at + AFTER)
            return shelf


_STATUS: Final[Mapping[str, Json]] = {
    "endpoint": {"EndpointStatus": "InService"},
    "inference-component": {"InferenceComponentStatus": "InService"},
}


def _is_done(entry: Entry, now: datetime) -> bool:
    return entry.life.ending.status == "Completed" and entry.life.ended_at + AFTER <= now


def _take_in(shelf: Shelf, call: Call, plan: JobPlan, at: datetime) -> None:
    for kind in plan.registered:
        if kind == "package":
            group = "-".join(plan.name.split("-")[:2])
            shelf.groups.setdefault(group, {"ModelPackageGroupName": group, "CreationTime": at})
            containers = [{"Image": plan.algorithm.image, "ModelDataUrl": plan.artifact_uri}]
            _register(shelf, call, group, "", {"InferenceSpecification": {"Containers": containers}}, at)
        elif kind == "endpoint":
            _serve(shelf, call, plan, at)
        else:
            shelf.models[plan.name] = {
                "ModelName": plan.name, "ModelArn": _arn(call, "model", plan.name), "CreationTime": at, "ExecutionRoleArn": plan.role_arn,
                "PrimaryContainer": {"Image": plan.algorithm.image, "Mode": "SingleModel", **_data(plan, kind)},
            }  # fmt: skip


def _data(plan: JobPlan, kind: str) -> Json:
    """Where a model of the job has its data: the artifact, or a folder of what the job wrote on its way."""
    if kind == "model":
        return {"ModelDataUrl": plan.artifact_uri}
    folder = plan.checkpoints.uri if kind == "checkpoint_model" and plan.checkpoints else plan.paths.intermediates_prefix
    source = {"S3Uri": f"{str(folder).rstrip('/')}/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {"ModelDataSource": {"S3DataSource": source}}


def _serve(shelf: Shelf, call: Call, plan: JobPlan, at: datetime) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": plan.name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}
    shelf.configurations[plan.name] = {
        "EndpointConfigName": plan.name, "EndpointConfigArn": _arn(call, "endpoint-config", plan.name), "CreationTime": at,
        "ProductionVariants": [variant],
    }  # fmt: skip
    shelf.endpoints[plan.name] = {
        "EndpointName": plan.name, "EndpointArn": _arn(call, "endpoint", plan.name), "EndpointConfigName": plan.name,
        "EndpointStatus": "InService", "CreationTime": at, "LastModifiedTime": at,
    }  # fmt: skip


def _register(shelf: Shelf, call: Call, group: str, name: str, body: Json, at: datetime) -> str:
    """Keep a package; its ARN."""
    said = body | {"ModelPackageStatus": "Completed", "ModelApprovalStatus": "Approved", "CreationTime": at}
    if group:
        version = 1 + sum(1 for one in shelf.packages.values() if one.get("ModelPackageGroupName") == group)
        name = f"{group}/{version}"
        said |= {"ModelPackageGroupName": group, "ModelPackageVersion": version}
    arn = _arn(call, "model-package", name)
    shelf.packages[name] = said | {"ModelPackageName": name, "ModelPackageArn": arn}
    return arn


def _arn(call: Call, resource: str, name: str) -> str:
    return f"arn:aws:sagemaker:{call.region}:{call.account}:{resource}/{name}"
