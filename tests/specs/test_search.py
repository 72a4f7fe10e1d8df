"""`search` of model.yaml: what contradicts itself or the rest of the file is refused."""

import pytest

from mlops.errors import BadInput
from mlops.specs.base import parse
from mlops.specs.model import Model
from tests.team import PROJECT

PATH = "models/toy-line/model.yaml"
TEXT = (PROJECT / PATH).read_text()
SEARCH = """\
search:
  metric: mae
  trials: 6
  space:
    learning_rate: {type: float, min: 0.05, max: 0.5, log: true}
"""


def read(search: str) -> Model:
    return parse((TEXT + search).encode(), PATH, Model)


def space(line: str) -> str:
    return SEARCH[: SEARCH.index("    learning_rate")] + f"    {line}\n"


def test_a_search_is_read_with_what_it_leaves_out() -> None:
    search = read(SEARCH).search
    assert search is not None
    assert (search.seed, search.minutes, search.workers) == (0, None, 1)
    assert (search.folds.count, search.folds.days) == (4, 7)


def test_what_a_search_starts_from_may_lie_outside_of_what_it_tries() -> None:
    assert read(space("rounds: {type: int, min: 50, max: 90}")).training.params["rounds"] == 40


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (SEARCH + "  budget: 3\n", "unknown key `search.budget`; remove the key or correct its"),
        (SEARCH.replace("mae", "bias"), "no search by bias: mae, rmse, mape"),
        (SEARCH.replace("mae", "auc"), "no search by auc: mae, rmse, mape"),
        (SEARCH.replace("trials: 6", "trials: 0"), "`search.trials` is 0"),
        (SEARCH.replace("trials: 6", "minutes: 5"), "key is missing `search.trials`"),
        (SEARCH.replace("trials: 6", "trials: 6\n  minutes: 0"), "`search.minutes` is 0"),
        (space("depth: {type: int, min: 1, max: 9}"), "`training.params` lacks depth"),
        (space("rounds: {type: int, min: 50, max: 50}"), "`min` has to be below `max`"),
        (space("rounds: {type: int, min: 0, max: 50, log: true}"), "`log` needs a `min` above 0"),
        (
            space("rounds: {type: int, min: 10, max: 50, log: true, step: 2}"),
            "`log` and `step` exclude each other",
        ),
        (space("rounds: {type: int, min: 40, max: 50, step: 20}"), "`step` is larger than the"),
        (space("rounds: {type: choice, of: [40]}"), "at least 2 items"),
        (space("rounds: {type: choice, of: [40, '40']}"), "a value stands twice"),
        (space("learning_rate: {type: float, min: 0.1, max: .inf}"), "finite number"),
        (space("rounds: {type: range, min: 1, max: 2}"), "'int', 'float', 'choice'"),
        (space("rounds: {type: int, min: 1.5, max: 2}"), "valid integer"),
        (SEARCH[: SEARCH.index("    learning")].replace("space:", "space: {}"), "at least 1 item"),
    ],
)
def test_what_contradicts_is_refused_in_one_line(search: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(search)
    assert len(refused.value.problems) == 1
    assert str(refused.value).startswith(f"{PATH}: ")
    assert said in str(refused.value)
