"""The checks of a change are dealt to jobs: each name once, evenly, and never too many jobs."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.checks.shares import (
    CONTRACT,
    LIMIT,
    MODEL,
    ROW,
    ROW_ROUND,
    ROWS,
    START,
    TARGET,
    share_of,
    shares,
)
from mlops.errors import BadInput
from mlops.graph import Affected, affected
from mlops.repository import Layout
from mlops.tree import Tree
from tests.team import Team

NAMES = st.integers(0, 3000).map(lambda number: f"m-{number:04d}")


class Files(Tree):
    """A tree of models and pins of which only the size is known."""

    def __init__(self, rounds: Mapping[str, int], rows: Mapping[str, int]) -> None:
        self.contents = {
            f"models/{model}/model.yaml": f"data:\n  dataset: {model}\nparams:\n  rounds: {count}\n"
            for model, count in rounds.items()
        } | {
            f"data-contracts/{name}.dvc": f"meta:\n  rows: {count}\n"
            for name, count in rows.items()
        }

    def read(self, path: str) -> bytes | None:
        content = self.contents.get(path)
        return None if content is None else content.encode()

    def names(self, folder: str) -> list[str]:
        return []

    def files(self, folder: str) -> list[str]:
        return []


@given(
    st.dictionaries(NAMES, st.integers(1, 100_000), max_size=600),
    st.dictionaries(NAMES, st.integers(0, 10**8), max_size=600),
    st.booleans(),
)
def test_every_name_is_in_one_share_of_at_most_200_and_none_is_far_above_the_mean(
    rounds: dict[str, int], rows: dict[str, int], everything: bool
) -> None:
    layout = Layout(Files(rounds, rows))
    reached = Affected(
        datasets=tuple(sorted(rows)),
        models=tuple(sorted(rounds)),
        environments=("dev", "prod"),
        code=True,
        policy=True,
        everything=everything,
    )
    found = shares(layout, reached, ["mlops.toml"])
    assert found == shares(Layout(Files(rounds, rows)), reached, ["mlops.toml"])
    assert len(found) <= LIMIT
    costs = {
        "models": {
            name: MODEL + ROW_ROUND * rows.get(name, ROWS) * count for name, count in rounds.items()
        },
        "contracts": {name: CONTRACT + ROW * count for name, count in rows.items()},
    }
    for part, each in costs.items():
        own = [share for share in found if share.part == part]
        assert sorted(name for share in own for name in share.names) == sorted(each)
        numbers = [(share.shard, share.of) for share in own]
        assert numbers == [(n, len(own)) for n in range(1, len(own) + 1)]
        for share in own:
            cost = sum(each[name] for name in share.names)
            assert share.cost == pytest.approx(START + cost, abs=0.1)
            assert cost <= sum(each.values()) / len(own) + max(each.values()) + 0.1


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_the_longest_share_is_at_most_a_third_above_the_best_there_is(sizes: list[int]) -> None:
    costs = {f"m-{n}": 200_000 * size for n, size in enumerate(sizes)}
    layout = Layout(Files(dict.fromkeys(costs, 100), costs))
    found = shares(layout, Affected(models=tuple(sorted(costs))), [])
    single = [MODEL + ROW_ROUND * 100 * rows for rows in costs.values()]
    best = min(
        max(
            sum(cost for cost, n in zip(single, dealt, strict=True) if n == shard)
            for shard in range(len(found))
        )
        for dealt in product(range(len(found)), repeat=len(single))
    )
    assert max(share.cost for share in found) - START <= best * 4 / 3 + 1


def test_work_for_about_five_minutes_is_one_share_and_more_is_more() -> None:
    small = {f"m-{n}": 1 for n in range(10)}
    rows = dict.fromkeys(small, 1)
    layout = Layout(Files(small, rows))
    assert [s.of for s in shares(layout, Affected(models=tuple(small)), [])] == [1]
    many = tuple(f"m-{n:04d}" for n in range(round(3.5 * (TARGET - START) / MODEL)))
    layout = Layout(Files(dict.fromkeys(many, 1), dict.fromkeys(many, 1)))
    found = shares(layout, Affected(models=many), [])
    assert len(found) == 4
    assert max(share.cost for share in found) < TARGET


def test_an_estimate_of_files_that_are_wrong_or_missing_stops_nothing(team: Team) -> None:
    team.write("models/odd/model.yaml", "data: [\n  dataset: ???\n rounds: 99999999999999\n")
    (found,) = shares(team.repo, Affected(models=("absent", "odd", "toy-line")), [])
    assert found.names == ("absent", "odd", "toy-line")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("README.md", []),
        ("docs/picture.svg", []),
        ("environments/dev/toy/settings.yaml", ["environments", "policy"]),
        ("apps/toy/evidence/1.json", ["policy"]),
        ("models/toy-line/train.py", ["code", "tests", "models", "policy"]),
        ("data-contracts/toy-points.odcs.yaml", ["tests", "contracts", "models", "policy"]),
        (".github/workflows/pr.yaml", ["tests", "policy"]),
    ],
)
def test_only_parts_with_something_to_do_get_a_share(
    team: Team, path: str, parts: list[str]
) -> None:
    found = shares(team.repo, affected(team.repo, [path]), [path])
    assert [share.part for share in found] == parts


def test_tests_are_split_only_when_all_is_reached(team: Team) -> None:
    changed = ["requirements/train.txt"]
    found = shares(team.repo, affected(team.repo, changed), changed)
    tests = [share for share in found if share.part == "tests"]
    assert [(share.shard, share.of) for share in tests] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_types_are_split_when_thousands_of_models_change(team: Team) -> None:
    changed = [f"models/m-{number:04d}/train.py" for number in range(2_500)]
    found = shares(team.repo, affected(team.repo, changed), changed)
    code = [share for share in found if share.part == "code"]
    assert [(share.shard, share.of) for share in code] == [(n, 9) for n in range(1, 10)]
    assert max(share.cost for share in code) <= TARGET


def test_a_share_is_found_by_its_part_and_number_and_no_other_is(team: Team) -> None:
    changed = ["requirements/train.txt"]
    found = shares(team.repo, affected(team.repo, changed), changed)
    assert share_of(found, "models") == share_of(found, "models", "1/1")
    assert share_of(found, "tests", "3/4").shard == 3
    for part, shard, message in [
        ("tests", "5/4", "--shard 5/4: is not a share of tests in this plan; name 1/4 to 4/4"),
        ("tests", "1/1", "--shard 1/1: is not a share of tests in this plan; name 1/4 to 4/4"),
        ("models", "x", "--shard x: is not a share of models in this plan; name 1/1"),
        (
            "environments",
            "1/1",
            "--part environments: has nothing to do for this change; name one of "
            + ", ".join(["code", "tests", "models", "policy"]),
        ),
        (
            "tea",
            "1/1",
            "--part tea: is not a part of the checks; name one of code, tests, models, policy",
        ),
    ]:
        with pytest.raises(BadInput) as refused:
            share_of(found, part, shard)
        assert str(refused.value) == message
    with pytest.raises(BadInput, match="there is nothing to check"):
        share_of((), "code")
