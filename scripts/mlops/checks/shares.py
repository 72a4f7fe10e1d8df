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
CODE_SHARDS = 50

# Estimates in seconds on two cores: they balance, and promise nothing.
CODE, TESTS, ENVIRONMENTS, POLICY = 60.0, 240.0, 10.0, 60.0
TYPED = 1.0
"""Of the types of one model or service."""
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
DATASET = re.compile(rb"^\s+dataset: *([a-z0-9-]+)", re.MULTILINE)
TREES = re.compile(rb"\brounds: *(\d{1,6})\b")
PINNED = re.compile(rb"^\s+rows: *(\d{1,12})\b", re.MULTILINE)


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
        "code": _code(layout, changed) if reached.code else (),
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


def _code(layout: Layout, changed: Iterable[str]) -> tuple[Share, ...]:
    """Folders of models and services are typed one by one: thousands of them are split."""
    found = len(typed(layout, changed))
    count = min(CODE_SHARDS, max(1, math.ceil(TYPED * found / TARGET)))
    cost = (CODE + TYPED * found) / count
    return tuple(Share("code", (), n, count, round(cost, 1)) for n in range(1, count + 1))


def typed(layout: Layout, changed: Iterable[str]) -> list[str]:
    """Folders of models and services whose types are checked: those that change, or all."""
    paths = list(changed)
    if "pyproject.toml" in paths:
        return [
            *(f"models/{m}" for m in layout.models()),
            *(f"apps/{s}" for s in layout.services()),
        ]
    parts = [p.split("/") for p in paths if p.endswith(".py")]
    return sorted({"/".join(p[:2]) for p in parts if p[0] in ("models", "apps") and len(p) > 2})


def _tests(reached: Affected) -> tuple[Share, ...]:
    """One share selects its tests itself; where all are needed they are split."""
    count = TEST_SHARDS if reached.everything else 1
    return tuple(Share("tests", (), n, count, TESTS / count) for n in range(1, count + 1))


def _may_be_tested(path: str) -> bool:
    """Whether a test may depend on a file; what serves now and why does not decide one."""
    evidence = path.startswith("apps/") and path.split("/")[2:3] == ["evidence"]
    return not (is_text(path) or path.startswith("environments/") or evidence)


def _costs(layout: Layout, reached: Affected) -> dict[Part, dict[str, float]]:
    """Estimated seconds of each name of the parts that are dealt.

    Read as text: thousands of files are estimated in the time that parsing takes for tens.
    """
    specs = {f"models/{name}/model.yaml": name for name in reached.models}
    texts = {specs[path]: text for path, text in layout.tree.read_many(specs).items()}
    learned = {name: _first(DATASET, texts.get(name, b"")).decode() for name in reached.models}
    rows = _rows(layout, {*reached.datasets, *learned.values()})
    rounds = {name: int(_first(TREES, texts.get(name, b"")) or ROUNDS) for name in reached.models}
    return {
        "contracts": {name: CONTRACT + ROW * rows[name] for name in reached.datasets},
        "models": {
            name: MODEL + ROW_ROUND * rows[learned[name]] * rounds[name] for name in reached.models
        },
    }


def _rows(layout: Layout, datasets: Iterable[str]) -> dict[str, int]:
    """Rows of the version of each dataset that is pinned."""
    pins = {name: f"data-contracts/{name}.dvc" for name in datasets}
    texts = layout.tree.read_many(pins.values())
    return {name: int(_first(PINNED, texts.get(pin, b"")) or ROWS) for name, pin in pins.items()}


def _first(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = pattern.search(text)
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
