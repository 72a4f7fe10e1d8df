"""The checks of a change as shares: balanced by cost, never more than a forge's matrix takes."""

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from mlops.checks.context import Share
from mlops.errors import bad_input
from mlops.graph import Affected, is_text
from mlops.repository import Layout
from mlops.specs.result import PARTS, Part

LIMIT = 200
"""Shares in all; GitHub takes 256 jobs in a matrix."""
TARGET = 300.0
"""Seconds that a share is to take, as long as that gives not too many of them."""
TEST_SHARDS = 4

# Estimates in seconds on two cores: they balance, and promise nothing.
CODE, TESTS, ENVIRONMENTS, POLICY = 60.0, 240.0, 10.0, 60.0
START = 30.0
"""Of a job before its first model or dataset: the packages, their imports."""
MODEL = 6.0
"""Of a model beside its training: reading, measuring it and what serves, plots."""
ROW_ROUND = 1e-6
"""Of training: each row of the pinned data in each boosting round."""
CONTRACT = 2.0
ROW = 2e-4
"""Of validation: each row of the pinned data."""
ROUNDS, ROWS = 100, 10_000
"""Where the files do not say."""


def shares(layout: Layout, reached: Affected, changed: Iterable[str]) -> tuple[Share, ...]:
    """What each job of the checks does, in the order of the parts; only what has work to do.

    Every model and dataset reached is in exactly one share. The same files give the same shares.

    Args:
        layout: the files as they are now.
        reached: what the change reaches.
        changed: paths that differ.
    """
    environments = tuple(sorted({*reached.environments, *reached.rendered}))
    single: dict[Part, tuple[Share, ...]] = {
        "code": (Share("code", cost=CODE),) if reached.code else (),
        "tests": _tests(reached) if any(_may_be_tested(path) for path in changed) else (),
        "environments": (Share("environments", environments, cost=ENVIRONMENTS),)
        if environments
        else (),
        "policy": (Share("policy", cost=POLICY),) if reached.policy else (),
    }
    left = LIMIT - sum(map(len, single.values()))
    found = {**single, **_dealt(_costs(layout, reached), left)}
    return tuple(share for part in PARTS for share in found[part])


def share_of(planned: Sequence[Share], part: str, shard: str = "1/1") -> Share:
    """The share that `--part models --shard 1/3` names.

    Raises:
        BadInput: when the plan has no such share.
    """
    own = [share for share in planned if share.part == part]
    if not own:
        parts = list(dict.fromkeys(share.part for share in planned))
        raise bad_input(
            f"--part {part}",
            "has nothing to do for this change" if part in PARTS else "is not a part of the checks",
            f"name one of {', '.join(parts)}" if parts else "there is nothing to check",
        )
    for share in own:
        if shard == f"{share.shard}/{share.of}":
            return share
    raise bad_input(
        f"--shard {shard}",
        f"is not a share of {part} in this plan",
        f"name 1/{len(own)}{f' to {len(own)}/{len(own)}' if len(own) > 1 else ''}",
    )


def _tests(reached: Affected) -> tuple[Share, ...]:
    """One share selects its tests itself; where all are needed they are split."""
    count = TEST_SHARDS if reached.everything else 1
    return tuple(Share("tests", (), n, count, TESTS / count) for n in range(1, count + 1))


def _may_be_tested(path: str) -> bool:
    """Whether a test may depend on a file; what serves now and why does not decide one."""
    evidence = path.startswith("apps/") and path.split("/")[2:3] == ["evidence"]
    return not (is_text(path) or path.startswith("environments/") or evidence)


def _costs(layout: Layout, reached: Affected) -> dict[Part, dict[str, float]]:
    """Estimated seconds of each name of the parts that are dealt."""
    rows = {name: _rows(layout, name) for name in reached.datasets}
    return {
        "contracts": {name: CONTRACT + ROW * rows[name] for name in reached.datasets},
        "models": {name: _model_cost(layout, name, rows) for name in reached.models},
    }


def _model_cost(layout: Layout, model: str, rows: dict[str, int]) -> float:
    """Read as text: thousands of files are estimated in the time that parsing takes for tens."""
    text = layout.tree.read(f"models/{model}/model.yaml") or b""
    dataset = _first(rb"^\s+dataset: *([a-z0-9-]+)", text).decode()
    if dataset not in rows:
        rows[dataset] = _rows(layout, dataset)
    rounds = int(_first(rb"\brounds: *(\d{1,6})\b", text) or ROUNDS)
    return MODEL + ROW_ROUND * rows[dataset] * rounds


def _rows(layout: Layout, dataset: str) -> int:
    pin = layout.tree.read(f"data-contracts/{dataset}.dvc") or b""
    return int(_first(rb"^\s+rows: *(\d{1,12})\b", pin) or ROWS)


def _first(pattern: bytes, text: bytes) -> bytes:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else b""


def _dealt(costs: Mapping[Part, Mapping[str, float]], limit: int) -> dict[Part, tuple[Share, ...]]:
    """Shares of each part, `limit` in all; where that is too few they are shared out by cost."""
    wanted = {part: _enough(own) for part, own in costs.items()}
    if sum(wanted.values()) > limit:
        total = sum(sum(own.values()) for own in costs.values())
        wanted = {
            part: min(count, max(1, math.floor((limit - len(wanted)) * _sum(costs[part]) / total)))
            for part, count in wanted.items()
        }
    return {part: _balanced(part, own, wanted[part]) for part, own in costs.items()}


def _enough(costs: Mapping[str, float]) -> int:
    return min(len(costs), math.ceil(_sum(costs) / (TARGET - START)))


def _sum(costs: Mapping[str, float]) -> float:
    return math.fsum(costs.values())


def _balanced(part: Part, costs: Mapping[str, float], count: int) -> tuple[Share, ...]:
    """Longest first, each to the shard that has least so far.

    The longest shard is at most 4/3 of the shortest possible one (Graham, Bounds on
    multiprocessing timing anomalies, 1969).
    """
    shards: list[tuple[float, int, list[str]]] = [(0.0, n, []) for n in range(1, count + 1)]
    for name in sorted(costs, key=lambda name: (-costs[name], name)):
        load, number, names = heapq.heappop(shards)
        names.append(name)
        heapq.heappush(shards, (load + costs[name], number, names))
    return tuple(
        Share(part, tuple(sorted(names)), number, count, round(START + load, 1))
        for load, number, names in sorted(shards, key=lambda shard: shard[1])
    )
