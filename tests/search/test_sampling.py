"""Which parameters are tried: inside the space, and the same after the same tries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.search.sampling import suggested
from mlops.search.trials import Trial
from mlops.specs.search import Choice, Continuous, Range, Search, Value, Whole

SPACE = Search(
    metric="mae",
    trials=100,
    space={
        "rounds": Whole(type="int", min=10, max=1000, log=True),
        "leaves": Whole(type="int", min=3, max=30, step=3),
        "rate": Continuous(type="float", min=0.0123456789, max=0.5, log=True),
        "share": Continuous(type="float", min=0.1, max=1.0, step=0.1),
        "kind": Choice(type="choice", of=("gbdt", "dart")),
    },
)


def worth(params: dict[str, Value]) -> float:
    """Something to search: best at a rate of 0.1 with dart."""
    return abs(float(params["rate"]) - 0.1) + (0.0 if params["kind"] == "dart" else 0.2)


def lies_in(one: Range, value: Value) -> bool:
    if isinstance(one, Choice):
        return value in one.of
    number = float(value)
    steps = (number - one.min) / one.step if one.step else 0.0
    whole = isinstance(value, int) or isinstance(one, Continuous)
    return whole and one.min <= number <= one.max and abs(steps - round(steps)) < 1e-8


def tried(search: Search, many: int) -> list[Trial]:
    found: list[Trial] = []
    for number in range(many):
        params = suggested(search, number, found)
        found.append(Trial(number, params, (worth(params),), 0.1))
    return found


@settings(max_examples=10)
@given(seed=st.integers(0, 10**9))
def test_every_value_lies_in_its_range_and_the_same_seed_gives_the_same_tries(seed: int) -> None:
    search = SPACE.model_copy(update={"seed": seed})
    found = tried(search, 14)
    for trial in found:
        assert set(trial.params) == set(search.space)
        assert all(lies_in(search.space[name], value) for name, value in trial.params.items())
    assert tried(search, 14) == found
    number = seed % 14
    assert suggested(search, number, found[:number]) == found[number].params


def test_another_seed_gives_other_tries() -> None:
    other = SPACE.model_copy(update={"seed": 1})
    assert tried(SPACE, 3) != tried(other, 3)


def test_what_was_tried_is_learned_from() -> None:
    found = tried(SPACE, 60)
    first, last = ([one.value for one in found[part]] for part in (slice(0, 10), slice(50, 60)))
    assert sum(last) / 10 < sum(first) / 20
