"""A search: tries until the budget is spent, by as many as take part, whatever cuts them off."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from mlops.data.pin import read_pin
from mlops.errors import bad_input
from mlops.registry import Registry
from mlops.repository import Layout, Repository
from mlops.search.folds import Folded, folded
from mlops.search.sampling import suggested
from mlops.search.trials import START, Trial, Trials
from mlops.sources import search_inputs
from mlops.specs.search import Search, Value
from mlops.training.metrics import HIGHER_IS_BETTER


@dataclass(frozen=True)
class Share:
    """The tries that one of several machines makes: number, number + of, ... counted from 1."""

    number: int = 1
    of: int = 1

    def takes(self, trial: int) -> bool:
        """Whether a try, counted from 0, is among them."""
        return trial % self.of == self.number - 1


@dataclass(frozen=True)
class Outcome:
    """What a search came to.

    Attributes:
        study: digest of all that decides it.
        search: with the budget that was asked for.
        trials: the tries of the budget that are known, in order.
        start: what stands in model.yaml, measured on the same windows.
    """

    study: str
    search: Search
    trials: tuple[Trial, ...]
    start: Trial

    @property
    def best(self) -> Trial:
        """The best try; what stands in model.yaml when none is better."""
        higher = self.search.metric in HIGHER_IS_BETTER
        sign = -1 if higher else 1
        return min((self.start, *self.trials), key=lambda one: (sign * one.value, one.number))

    @property
    def is_better(self) -> bool:
        """Whether something better than what stands in model.yaml was found."""
        return self.best.number != START

    @property
    def gain(self) -> float:
        """By how much the best is better, as a share of what stands in model.yaml."""
        was = self.start.value
        return abs(self.best.value - was) / abs(was) if was else 0.0


def search_of(layout: Layout, model: str) -> Search:
    """`search` of a tree's model.yaml.

    Raises:
        BadInput: when it has none.
    """
    found = layout.model(model).search
    if found is None:
        raise bad_input(
            f"models/{model}/model.yaml", "has no `search`", "add one, as docs/tuning.md says"
        )
    return found


def study_of(layout: Layout, model: str) -> str:
    """Digest of all that decides a model's search, as a tree has it."""
    return search_inputs(layout, model, read_pin(layout, layout.model(model).data.dataset).digest)


def trials_of(repo: Repository, model: str, search: Search) -> Trials:
    """What was tried for the work tree's model."""
    return Trials(Registry.of(repo), model, study_of(repo, model), search)


def run(
    repo: Repository,
    model: str,
    search: Search,
    share: Share,
    tells: Callable[[Mapping[int, Trial]], None],
) -> Outcome | None:
    """Make the tries that are missing; the outcome when nothing is left to others.

    Killed at any moment and run again it goes on with the tries that had not ended. By one worker
    the same search gives the same tries, however often it was cut off.

    Args:
        repo: the clone.
        model: the model's name.
        search: of its model.yaml, with the budget and the workers of this process.
        share: which tries are this process's.
        tells: told what is known, at the start and after each try.

    Raises:
        BadInput: when the model's files or its data are not as they have to be.
        NotHere: when a registry elsewhere cannot be used from here.
    """
    trials = trials_of(repo, model, search)
    rows = folded(repo, repo, model, search)
    known = _searched(rows, trials, share, tells)
    if share.of > 1:
        return None
    start = _start(rows, trials, repo.model(model).training.params)
    return Outcome(trials.study, search, tuple(known.values()), start)


def _searched(
    rows: Folded, trials: Trials, share: Share, tells: Callable[[Mapping[int, Trial]], None]
) -> dict[int, Trial]:
    """What is known of the budget's tries once no more of them is to be begun here."""
    search = trials.search
    running: dict[Future[Trial], int] = {}
    with ThreadPoolExecutor(search.workers) as pool:
        while True:
            known = _within(search, trials.known())
            tells(known)
            begin = _open(search, share, known, running.values())
            for number in begin[: search.workers - len(running)]:
                before = [one for one in known.values() if one.number < number]
                params = suggested(search, number, before)
                running[pool.submit(_tried, rows, number, params)] = number
            if not running:
                return known
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                del running[done]
                trials.add(done.result())


def _within(search: Search, known: Mapping[int, Trial]) -> dict[int, Trial]:
    return {number: one for number, one in known.items() if number < search.trials}


def _open(
    search: Search, share: Share, known: Mapping[int, Trial], running: Iterable[int]
) -> list[int]:
    """The tries that may begin, in order; none once the time is spent."""
    spent = sum(one.seconds for one in known.values())
    if search.minutes is not None and spent >= search.minutes * 60:
        return []
    taken = {*known, *running}
    return [n for n in range(search.trials) if share.takes(n) and n not in taken]


def _tried(rows: Folded, number: int, params: Mapping[str, Value]) -> Trial:
    start = time.perf_counter()
    folds = rows.measure(params)
    return Trial(number, params, folds, round(time.perf_counter() - start, 3))


def _start(rows: Folded, trials: Trials, params: Mapping[str, Value]) -> Trial:
    """What model.yaml's own parameters are worth, measured once."""
    searched = {name: params[name] for name in trials.search.space}
    kept = trials.start(searched)
    if kept is None:
        kept = _tried(rows, START, searched)
        trials.add(kept)
    return kept
