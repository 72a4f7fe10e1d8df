"""Each benchmark runs, in its small form; how long something takes is not judged here."""

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.table import Figure, markdown, recorded

ELSEWHERE = {"demo", "selection", "cluster", "applications"}
"""The demo is a test itself, mutants have one of their own, and the others need a cluster."""
SMALL = [name for name in BENCHMARKS if name not in ELSEWHERE]
NONE = ("requests lost", "runs that ended wrong", "clean batches refused")
"""Of these, a small run has none at all, too."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SMALL)
def test_a_small_run_gives_a_table_and_loses_no_request(name: str) -> None:
    figures = BENCHMARKS[name](small=True)
    assert len(markdown(figures).splitlines()) == 4 + len(figures)
    for figure in figures:
        if figure.what.startswith(NONE):
            assert figure.value == 0, figure
        elif "on the holdout" in figure.what:
            assert "of 1; 4 tries" in figure.detail, figure  # it may be none better
        else:
            assert figure.value > 0, figure


def test_a_goal_is_an_upper_or_a_lower_bound() -> None:
    slow = Figure(what="start", value=3.0, unit="s", goal=2.0, detail="once")
    fast = Figure(what="rate", value=3.0, unit="times", goal=2.0, detail="once", bound="at least")
    assert (slow.met, slow.ratio) == (False, "1.50")
    assert (fast.met, fast.ratio) == (True, "1.50")
    assert "| start | 3.00 s | at most 2 s | 1.50 | **no** | once |" in markdown([slow, fast])


def test_a_table_takes_the_place_of_the_last_one_of_its_benchmark_and_leaves_the_others() -> None:
    order = ["startup", "plan", "demo"]
    record = "# Figures\n\nWords.\n"
    for name, table in (("demo", "of the demo"), ("plan", "old"), ("plan", "new")):
        record = recorded(record, name, f"{table}\n", order)
    assert record == "# Figures\n\nWords.\n\n## plan\n\nnew\n\n## demo\n\nof the demo\n"
