"""A job at an instant, as its plan has it: what the oracle judges."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from demo.hosts import gpus, hosts
from demo.lifecycle import current_step
from demo.plan import JobPlan
from demo.surroundings import Context
from demo.timeline import Life, Step, intervals, waits

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Case:
    """A job that exists at `now`, with what surrounds it."""

    plan: JobPlan
    life: Life
    now: datetime
    context: Context

    @property
    def live(self) -> bool:
        """Whether it has yet to end."""
        return self.now < self.life.ended_at

    @property
    def step(self) -> Step:
        """The phase it is in, by the name that AWS gives it."""
        step = current_step(self.life, self.now)
        said = self.plan.overrides.get("SecondaryStatus")
        return step if said is None else step._replace(status=str(said))

    @property
    def ran(self) -> timedelta:
        """Its time on instances so far."""
        return self._until_now(intervals(self.life))

    @property
    def trained(self) -> timedelta:
        """Its time in training so far."""
        return self._until_now((step.start, step.end) for step in self.life.steps if step.status == "Training")

    @property
    def waited(self) -> timedelta:
        """Its time without instances after they were taken from it."""
        return self._until_now(waits(self.life.steps))

    @property
    def interruptions(self) -> list[datetime]:
        """When its instances were taken from it, those yet to come too."""
        return [step.start for step in self.life.steps if step.status == "Interrupted"]

    @property
    def first_trained_at(self) -> datetime | None:
        """When it began to train, if ever."""
        return next((step.start for step in self.life.steps if step.status == "Training"), None)

    @property
    def gpu_counts(self) -> list[int]:
        """The GPUs of each of its hosts that has any."""
        return [count for one in hosts(self.plan) if (count := gpus(one))]

    @property
    def hourly_usd(self) -> Decimal | None:
        """List price of an hour of its instances; None if one has no price, 0 where they were paid for beforehand."""
        if self.plan.training_plan_arn is not None:
            return Decimal(0)
        prices = [(self.context.rates_usd.get((group.instance_type, self.plan.region)), group.count) for group in self.plan.cluster.groups]
        known = [price * count for price, count in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None

    def _until_now(self, stretches: Iterable[Stretch]) -> timedelta:
        return sum((min(end, self.now) - start for start, end in stretches if start < self.now), timedelta(0))
