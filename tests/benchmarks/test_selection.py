"""Choosing tests is measured with mutants; here a few of two small modules."""

from itertools import islice
from pathlib import Path

import pytest

from benchmarks.mutants import sample
from benchmarks.selection import SMALL, Tried, figures, measure
from tests.team import ROOT

pytest.importorskip("cosmic_ray", reason="the tool that makes mutants is not installed")


def test_a_seed_gives_the_same_mutants_and_none_of_them_twice() -> None:
    first = list(islice(sample(ROOT, 3, tuple(SMALL)), 8))
    assert first == list(islice(sample(ROOT, 3, tuple(SMALL)), 8))
    assert len({mutant.text for mutant in first}) == 8
    for mutant in first:
        assert mutant.text != (Path(ROOT) / mutant.path).read_text()


def test_only_mutants_that_some_test_kills_count_and_the_others_are_named() -> None:
    tried = [
        Tried("a", "caught", 0.1, 3, 1.0),
        Tried("b", "missed", 0.3, 3, 1.0),
        Tried("c", "survived", 0.9, 3, 1.0),
        Tried("d", "unreached", 0.0, 0, 0.0),
    ]
    saved, caught = figures(tried)
    assert saved.value == pytest.approx(80)
    assert caught.value == 50
    assert "missed: 1 (b), survived: 1 (c), unreached: 1 (d)" in caught.detail


@pytest.mark.slow
def test_a_small_run_tries_mutants_in_a_copy_of_the_project() -> None:
    before = {path: (ROOT / path).read_text() for path in SMALL}
    assert len(measure(small=True)) == 2
    assert {path: (ROOT / path).read_text() for path in SMALL} == before
