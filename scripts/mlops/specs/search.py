"""`search` of model.yaml: which parameters are searched, how each try is measured, how many."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mlops.specs.base import Spec

Value = int | float | str | bool
Real = Annotated[float, Field(allow_inf_nan=False)]


class Whole(Spec):
    """Whole numbers from `min` to `max`."""

    type: Literal["int"]
    min: int
    max: int
    step: int = Field(default=1, ge=1)
    log: bool = Field(default=False, description="try each order of magnitude as often")

    @model_validator(mode="after")
    def _not_contradictory(self) -> "Whole":
        _refuse(self.min, self.max, self.step if self.step > 1 else None, self.log)
        return self


class Continuous(Spec):
    """Numbers from `min` to `max`; with `step`, those of that grid."""

    type: Literal["float"]
    min: Real
    max: Real
    step: Real | None = Field(default=None, gt=0)
    log: bool = Field(default=False, description="try each order of magnitude as often")

    @model_validator(mode="after")
    def _not_contradictory(self) -> "Continuous":
        _refuse(self.min, self.max, self.step, self.log)
        return self


class Choice(Spec):
    """Some values, without an order."""

    type: Literal["choice"]
    of: tuple[Value, ...] = Field(min_length=2)

    @field_validator("of")
    @classmethod
    def _no_value_twice(cls, of: tuple[Value, ...]) -> tuple[Value, ...]:
        # By their text, which is what the registry keeps of them.
        if len({str(value) for value in of}) != len(of):
            raise ValueError("a value stands twice")
        return of


Range = Annotated[Whole | Continuous | Choice, Field(discriminator="type")]


class Folds(Spec):
    """What a try is measured on: the newest training rows, in `count` windows of `days` days.

    Each window is predicted by a model trained on all rows before it. The holdout is never read.
    """

    count: int = Field(default=4, ge=1, le=50)
    days: int = Field(default=7, ge=1)


class Search(Spec):
    """A search for better `training.params`: the space, the measure, the budget."""

    metric: str
    seed: int = Field(default=0, ge=0)
    trials: int = Field(ge=1, le=10_000, description="sets of parameters that are tried, in all")
    minutes: Real | None = Field(
        default=None,
        gt=0,
        description="no try begins once all together took this long, whoever made them",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="tries at the same time: threads of this machine, pods on a cluster",
    )
    folds: Folds = Folds()
    space: dict[str, Range] = Field(min_length=1)


def _refuse(low: float, high: float, step: float | None, log: bool) -> None:
    """Raise ValueError for what contradicts itself."""
    if low >= high:
        raise ValueError("`min` has to be below `max`")
    if log and low <= 0:
        raise ValueError("`log` needs a `min` above 0")
    if log and step is not None:
        raise ValueError("`log` and `step` exclude each other")
    if step is not None and step > high - low:
        raise ValueError("`step` is larger than the range")
