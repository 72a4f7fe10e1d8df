"""Found parameters in model.yaml: nothing but these values changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import BadInput
from mlops.search.writing import with_params
from mlops.specs.base import parse
from mlops.specs.model import Model
from tests.team import PROJECT

PATH = "models/toy-line/model.yaml"
TEXT = (PROJECT / PATH).read_text()
FLOW = """\
  params: {rounds: 40, # trees
    learning_rate: 0.2, num_leaves: 7}   # the rest
"""
BLOCK = TEXT[TEXT.index("  params:") : TEXT.index("baseline:")]


@given(
    rounds=st.integers(1, 10**6),
    rate=st.floats(1e-12, 1e12, allow_nan=False),
    flow=st.booleans(),
)
def test_the_values_alone_change_and_are_read_as_they_were_found(
    rounds: int, rate: float, flow: bool
) -> None:
    text = TEXT.replace(BLOCK, FLOW) if flow else TEXT
    written = with_params(text.encode(), PATH, {"rounds": rounds, "learning_rate": rate}).decode()
    found = parse(written.encode(), PATH, Model).training.params
    assert found == {"rounds": rounds, "learning_rate": rate, "num_leaves": 7}
    assert without_values(written) == without_values(text)


@pytest.mark.parametrize("value", ["dart", "yes", "1", True])
def test_text_that_yaml_would_read_as_something_else_stays_text(value: str | bool) -> None:
    written = with_params(TEXT.encode(), PATH, {"num_leaves": value})
    assert parse(written, PATH, Model).training.params["num_leaves"] == value


def test_the_same_values_leave_every_byte() -> None:
    same = {"rounds": 40, "learning_rate": 0.2}
    assert with_params(TEXT.encode(), PATH, same) == TEXT.encode()


@pytest.mark.parametrize(
    ("anchor", "alias"),
    [("holdout_days: 4", "num_leaves: 7"), ("num_leaves: 7", "rounds: 40")],
)
def test_a_value_that_stands_or_is_used_elsewhere_is_not_changed_there(
    anchor: str, alias: str
) -> None:
    named, used = anchor.replace(": ", ": &it "), alias.split(":", maxsplit=1)[0] + ": *it"
    text = TEXT.replace(anchor, named).replace(alias, used)
    with pytest.raises(BadInput) as refused:
        with_params(text.encode(), PATH, {"num_leaves": 9})
    assert str(refused.value) == (
        f"{PATH}: has values of `training.params` that stand or are used elsewhere (`*`, `&`); "
        "write them out in `training.params`, then run this again"
    )


def without_values(text: str) -> list[str]:
    """The words of a text that are no values of the two parameters."""
    words = text.replace("{", " { ").replace("}", " } ").replace(",", " , ").split()
    keys = ("rounds:", "learning_rate:")
    return [word for before, word in zip(["", *words], words, strict=False) if before not in keys]
