"""The Price List's GetProducts for AmazonSageMaker: the training rows, among the others that look like them."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from demo.books import to_json
from demo.call import Call
from demo.errors import AwsError
from demo.pages import Pages, page_size
from demo.prices import EFFECTIVE, Price, prefix, storage_rate

LOCATIONS = {
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-2": "US West (Oregon)",
    "eu-west-1": "EU (Ireland)", "eu-central-1": "EU (Frankfurt)", "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-south-1": "Asia Pacific (Mumbai)",
}  # fmt: skip
TERM, RATE = "JRTCKXETXF", "6YS6EN2CT7"
"""The codes of the on-demand term and of its hourly rate, the same in every offer of every service."""


@dataclass(frozen=True, slots=True)
class Product:
    """One row of the list before it is put into its JSON."""

    usage_type: str
    component: str
    region: str
    usd: Decimal
    unit: str
    description: str
    effective_at: datetime = EFFECTIVE
    instance_type: str = ""
    instance_name: str = ""
    operation: str = "RunInstance"


def products(prices: Sequence[Price]) -> Iterator[Product]:
    """All products: every training price with the rows that are easily taken for it, and storage per region."""
    for number, price in enumerate(prices):
        yield from _training(price, blank_type=number % 3 != 0)
        yield from _lookalikes(price)
    for region in dict.fromkeys(price.region for price in prices):
        yield Product(
            f"{prefix(region)}-Train:VolumeUsage.gp2", "Training", region, storage_rate(region), "GB-Mo",
            "per GB-Mo of Training Job ML storage", operation="CreateVolume-Gp2",
        )  # fmt: skip


def _training(price: Price, *, blank_type: bool) -> Iterator[Product]:
    name = price.instance_type
    words = f"per Training {name} hour"
    yield Product(
        f"{prefix(price.region)}-Train:{name}", "Training", price.region, price.usd_per_hour, "Hrs", words,
        price.effective_at, "" if blank_type else f"{name}-Training", name,
    )  # fmt: skip


def _lookalikes(price: Price) -> Iterator[Product]:
    """Other prices of the same instance, none of which a training job on demand is billed at."""
    name, region, usd = price.instance_type, price.region, price.usd_per_hour
    rows = [
        ("TrainWarmPool", "Training", usd, f"for Training Warm Pool job {name} per hour", ""),
        ("TrSpt", "Training", (usd * Decimal("0.3")).quantize(Decimal("0.0001")), f"per Spot Training {name} hour", ""),
        ("Host", "Hosting", usd * Decimal("1.01"), f"per Hosting {name} hour", f"{name}-Hosting"),
        ("Notebk", "Notebook", usd * Decimal("0.99"), f"per Notebook {name} hour", f"{name}-Notebook"),
        ("Train", "Training", Decimal(0), f"per Training {name} hour under monthly free tier", f"{name}-TrainingParent"),
    ]
    for kind, component, price_usd, words, instance_type in rows:
        usage_type = f"{prefix(region)}-{kind}:{name}"
        yield Product(usage_type, component, region, price_usd, "Hrs", words, EFFECTIVE, instance_type, name)


def rendered(product: Product) -> str:
    """The product as a PriceList string."""
    sku = hashlib.sha256(f"{product.usage_type}{product.description}".encode()).hexdigest()[:16].upper()
    effective = product.effective_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    location = LOCATIONS.get(product.region, product.region)
    dimension = {
        "unit": product.unit,
        "endRange": "Inf",
        "description": f"${product.usd} {product.description} in {location}",
        "appliesTo": [],
        "rateCode": f"{sku}.{TERM}.{RATE}",
        "beginRange": "0",
        "pricePerUnit": {"USD": f"{product.usd:.10f}"},
    }
    term = {
        "priceDimensions": {f"{sku}.{TERM}.{RATE}": dimension},
        "sku": sku,
        "effectiveDate": effective,
        "offerTermCode": TERM,
        "termAttributes": {},
    }
    family = "ML Storage" if product.unit == "GB-Mo" else "ML Instance"
    whole = {
        "product": {"productFamily": family, "attributes": attributes(product), "sku": sku},
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {f"{sku}.{TERM}": term}},
        "version": product.effective_at.strftime("%Y%m%d%H%M%S"),
        "publicationDate": effective,
    }
    return json.dumps(whole, separators=(",", ":"))


def attributes(product: Product) -> dict[str, str]:
    """The product's attributes, by which GetProducts filters."""
    said = {
        "regionCode": product.region,
        "servicecode": "AmazonSageMaker",
        "servicename": "Amazon SageMaker",
        "location": LOCATIONS.get(product.region, product.region),
        "locationType": "AWS Region",
        "component": product.component,
        "usagetype": product.usage_type,
        "operation": product.operation,
    }
    if product.instance_name:
        said |= {"instanceName": product.instance_name, "instanceType": product.instance_type}
    return said


class PriceList:
    """The Pricing service over the prices it is given, which may be replaced while it runs."""

    def __init__(self, prices: Sequence[Price]) -> None:
        self.prices = prices
        self._pages: Pages[str] = Pages()

    def get_products(self, call: Call) -> bytes:
        """GetProducts: filtered by attributes, in pages of at most 100."""
        size = page_size(call.body.get("MaxResults"), default=100)
        if call.text("NextToken"):
            page, token, _ = self._pages.following(call.text("NextToken"), size)
        else:
            page, token = self._pages.first(self._found(call), size)
        said: dict[str, object] = {"FormatVersion": "aws_v1", "PriceList": list(page)}
        if token is not None:
            said["NextToken"] = token
        return to_json(said)

    def _found(self, call: Call) -> list[str]:
        if call.text("ServiceCode") != "AmazonSageMaker":
            raise AwsError("NotFoundException", f"The simulated list knows AmazonSageMaker, not {call.text('ServiceCode')}")
        filters = call.body.get("Filters")
        tests = [one for one in filters if isinstance(one, Mapping)] if isinstance(filters, list) else []
        return [rendered(one) for one in products(self.prices) if all(_passes(one, test) for test in tests)]


def _passes(product: Product, test: Mapping[str, object]) -> bool:
    family = "ML Storage" if product.unit == "GB-Mo" else "ML Instance"
    value = (attributes(product) | {"productFamily": family}).get(str(test.get("Field")))
    wanted = str(test.get("Value"))
    kind = test.get("Type", "TERM_MATCH")
    if kind == "CONTAINS":
        return value is not None and wanted in value
    if kind == "ANY_OF":
        return value in wanted.split(",")
    if kind == "NONE_OF":
        return value not in wanted.split(",")
    return value == wanted
