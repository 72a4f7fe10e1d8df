"""What differs between two releases of a service, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlops.digests import short
from mlops.git import GitFailed
from mlops.repository import Layout, Repository, evidence_path
from mlops.sources import SERVING_CODE, TRAINING_CODE
from mlops.specs.base import read_if_there
from mlops.specs.evidence import Evidence
from mlops.specs.model import SIGNED
from mlops.specs.release import DatasetPin, PromptPin, Release


@dataclass(frozen=True)
class Difference:
    """One part that differs.

    Attributes:
        part: what, such as `model toy-line` or `dataset toy-points`.
        before: what it was; empty when it is new.
        after: what it is; empty when it is gone.
        note: what that means, or empty.
    """

    part: str
    before: str
    after: str
    note: str = ""

    def __str__(self) -> str:
        change = f"{self.before or 'none'} -> {self.after or 'none'}"
        return f"{self.part}: {change}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Commit:
    """A commit in one line."""

    commit: str
    subject: str


def differences(
    before: Release,
    after: Release,
    *,
    rows_before: Mapping[str, int] | None = None,
    rows_after: Mapping[str, int] | None = None,
) -> list[Difference]:
    """Every part in which two releases differ; empty when they pin the same.

    Args:
        before: the release that was (or the one named first).
        after: the release that is to be.
        rows_before: rows of each dataset of `before`, from its evidence, when known.
        rows_after: rows of each dataset of `after`.
    """
    return [
        *_models(before, after),
        *_datasets(before, after, rows_before or {}, rows_after or {}),
        *_contracts(before, after),
        *_pins("prompt", _digests(before.prompts), _digests(after.prompts)),
        *_pins("index", _digests(before.indexes), _digests(after.indexes)),
        *_one("code", short(before.source.tree), short(after.source.tree)),
        *_one("bento", short(before.bento), short(after.bento)),
        *_one("image", _image(before), _image(after)),
        *_metrics(before, after),
    ]


def _one(part: str, before: str, after: str, note: str = "") -> list[Difference]:
    return [] if before == after else [Difference(part, before, after, note)]


def _pins(
    part: str, before: Mapping[str, str], after: Mapping[str, str], note: str = ""
) -> list[Difference]:
    """Differences of values by name; `part` is the word before each name."""
    return [
        found
        for name in sorted({*before, *after})
        for found in _one(f"{part} {name}", before.get(name, ""), after.get(name, ""), note)
    ]


def _models(before: Release, after: Release) -> list[Difference]:
    def told(release: Release) -> dict[str, tuple[str, str]]:
        return {
            pin.name: (pin.digest, f"version {pin.version} {short(pin.digest)}")
            for pin in release.models
        }

    old, new = told(before), told(after)
    # By content: the registry number is a label.
    differing = [
        name for name in {*old, *new} if old.get(name, ("",))[0] != new.get(name, ("",))[0]
    ]
    return _pins(
        "model",
        {name: old[name][1] for name in differing if name in old},
        {name: new[name][1] for name in differing if name in new},
    )


def _datasets(
    before: Release, after: Release, rows_before: Mapping[str, int], rows_after: Mapping[str, int]
) -> list[Difference]:
    found = _pins("dataset", _data(before, rows_before), _data(after, rows_after))
    return [_with_growth(difference, rows_before, rows_after) for difference in found]


def _data(release: Release, rows: Mapping[str, int]) -> dict[str, str]:
    def told(pin: DatasetPin) -> str:
        count = rows.get(pin.name)
        return short(pin.digest) + ("" if count is None else f", {count:,} rows")

    return {pin.name: told(pin) for pin in release.datasets}


def _with_growth(
    difference: Difference, before: Mapping[str, int], after: Mapping[str, int]
) -> Difference:
    name = difference.part.removeprefix("dataset ")
    if name not in before or name not in after:
        return difference
    more = after[name] - before[name]
    word = "more" if more > 0 else "fewer"
    note = f"{abs(more):,} rows {word}" if more else "as many rows, other content"
    return Difference(difference.part, difference.before, difference.after, note)


def _contracts(before: Release, after: Release) -> list[Difference]:
    return _pins(
        "contract of",
        {pin.name: pin.contract for pin in before.datasets},
        {pin.name: pin.contract for pin in after.datasets},
    )


def _digests(pins: Iterable[PromptPin] | None) -> dict[str, str]:
    return {pin.name: short(pin.digest) for pin in pins or ()}


def _image(release: Release) -> str:
    return f"{release.image.name}@{short(release.image.digest)}" if release.image else ""


def _metrics(before: Release, after: Release) -> list[Difference]:
    old, new = before.evidence.metrics, after.evidence.metrics
    same_rows = before.evidence.measured_on == after.evidence.measured_on
    return [
        Difference(f"metric {name}", figure(old[name]), figure(new[name]), note)
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
        and (note := _word(name, old[name], new[name]) if same_rows else "measured on other rows")
    ]


def _word(name: str, before: float, after: float) -> str:
    change = "lower" if after < before else "higher"
    return f"{change}, {'better' if is_better(name, before, after) else 'worse'}"


def is_better(metric: str, before: float, after: float) -> bool:
    """Whether a metric's second value is the better one; `metric` may begin with `<model>.`."""
    from mlops.training.metrics import HIGHER_IS_BETTER

    name = metric.rpartition(".")[2]
    if name in SIGNED:
        return abs(after) < abs(before)
    return after > before if name in HIGHER_IS_BETTER else after < before


def figure(value: float) -> str:
    """A figure with four digits that matter, never in powers of ten when it is large."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def rows_of(layout: Layout, release: Release) -> dict[str, int]:
    """Rows of each dataset, from the release's committed evidence; empty when it is not there."""
    evidence = evidence_of(layout, release)
    return {data.dataset: data.rows for data in evidence.data} if evidence else {}


def evidence_of(layout: Layout, release: Release) -> Evidence | None:
    """The committed evidence of a release, or None when the tree does not hold it."""
    path = evidence_path(release.service, release.evidence.digest)
    return read_if_there(layout.tree, path, Evidence)


def commits_between(repo: Repository, before: Release, after: Release) -> list[Commit]:
    """Commits that `after`'s source has and `before`'s has not, and which reach the service.

    Newest first. Empty also when one of the commits is not in this clone.
    """
    return _log(repo, before.source.commit, after.source.commit, _closure(after))


def _closure(release: Release) -> list[str]:
    """Paths that decide a release: code, models, data, dependencies."""
    tool = {f"scripts/mlops/{part}" for part in (*SERVING_CODE, *TRAINING_CODE)}
    return [
        f"apps/{release.service}",
        f":(exclude)apps/{release.service}/evidence",
        *(f"models/{pin.name}" for pin in release.models),
        *(f"data-contracts/{pin.name}.dvc" for pin in release.datasets),
        *(f"data-contracts/{pin.name}.odcs.yaml" for pin in release.datasets),
        "requirements/serve.txt",
        "requirements/train.txt",
        *sorted(tool),
    ]


def _log(repo: Repository, before: str, after: str, paths: list[str]) -> list[Commit]:
    try:
        told = repo.git.names(
            "log", "-z", "--no-merges", "--format=%H%x01%s", f"{before}..{after}", "--", *paths
        )
    except GitFailed:
        return []
    return [Commit(*line.split("\x01", 1)) for line in told]
