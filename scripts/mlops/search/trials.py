"""What was tried: runs in the registry, each whole or not there, shared by all who search."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from mlops import digests
from mlops.registry import Registry, Run
from mlops.specs.search import Choice, Range, Search, Value, Whole

STUDY, NUMBER = "search", "trial"
"""Tags of a run: the digest of all that decides the search, and which try it is."""
SECONDS, FOLD = "seconds", "fold_"


@dataclass(frozen=True)
class Trial:
    """A set of parameters and what it is worth.

    Attributes:
        number: which try of its search it is, from 0; for what stands in model.yaml `START`.
        params: of the space alone.
        folds: the metric on each window.
        seconds: that it took.
    """

    number: int
    params: Mapping[str, Value]
    folds: tuple[float, ...]
    seconds: float

    @property
    def value(self) -> float:
        """The metric, as the mean of the windows."""
        return fmean(self.folds)


START = -1


@dataclass(frozen=True)
class Trials:
    """The tries of one search.

    A try is kept at its end, so that one that was cut off left nothing. Two of one number, from
    two machines that did not know of each other, count as the one that was kept first.

    Attributes:
        study: digest of all that decides the search.
    """

    registry: Registry
    model: str
    study: str
    search: Search

    def known(self) -> dict[int, Trial]:
        """Those that ended, by number, in its order."""
        found: dict[int, Trial] = {}
        for run in self._runs():
            if run.tags[NUMBER].isdecimal():
                number = int(run.tags[NUMBER])
                found.setdefault(number, self._trial(number, run))
        return dict(sorted(found.items()))

    def start(self, params: Mapping[str, Value]) -> Trial | None:
        """What these parameters of model.yaml are worth, when it was measured before."""
        name = _named(params)
        kept = (run for run in self._runs() if run.tags[NUMBER] == name)
        return next((self._trial(START, run) for run in kept), None)

    def add(self, trial: Trial) -> None:
        """Keep one that ended."""
        number = _named(trial.params) if trial.number == START else str(trial.number)
        run = Run(
            tags={STUDY: self.study, NUMBER: number},
            params={name: str(value) for name, value in trial.params.items()},
            metrics={
                self.search.metric: trial.value,
                SECONDS: trial.seconds,
                **{f"{FOLD}{place}": value for place, value in enumerate(trial.folds)},
            },
        )
        self.registry.record(self._experiment, run)

    def _runs(self) -> list[Run]:
        return self.registry.recorded(self._experiment, STUDY, self.study)

    @property
    def _experiment(self) -> str:
        return f"{self.model}/search"

    def _trial(self, number: int, run: Run) -> Trial:
        return Trial(
            number=number,
            params={name: _value(one, run.params[name]) for name, one in self.search.space.items()},
            folds=tuple(run.metrics[f"{FOLD}{place}"] for place in range(self.search.folds.count)),
            seconds=run.metrics[SECONDS],
        )


def _named(params: Mapping[str, Value]) -> str:
    return digests.of_json(dict(params))


def _value(one: Range, text: str) -> Value:
    if isinstance(one, Choice):
        return next(value for value in one.of if str(value) == text)
    return int(text) if isinstance(one, Whole) else float(text)
