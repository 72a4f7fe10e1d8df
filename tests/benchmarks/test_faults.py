"""The generator of faults: real shapes, each kind at each strength, and what is kept apart."""

from collections import Counter

import pandas as pd
import pytest

from benchmarks.faults import held_out
from benchmarks.faults.all_kinds import KINDS
from benchmarks.faults.batch import CONTRACT, clean, mondays, plain, planted, start_of
from benchmarks.faults.clean import COLUMNS, week
from mlops.data.contract import Contract
from mlops.data.reading import usable
from mlops.data.validation import validate

STATIONS, SEED = 60, 3
CASES = [(name, strength) for name, kind in KINDS.items() for strength in kind.strengths]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return clean(SEED, STATIONS)


def test_there_are_more_than_thirty_kinds_of_every_group_at_three_strengths_each() -> None:
    assert len(KINDS) >= 30
    assert all(len(kind.strengths) == 3 for kind in KINDS.values())
    assert min(Counter(kind.group for kind in KINDS.values()).values()) >= 3


def test_a_third_of_the_kinds_is_held_out_by_the_draw_that_was_written_down() -> None:
    assert held_out.drawn() == held_out.HELD_OUT
    assert len(held_out.HELD_OUT) == len(KINDS) // 3


def test_what_tunes_can_have_neither_a_held_out_kind_nor_a_seed_of_the_report() -> None:
    assert not set(held_out.for_tuning(0)) & held_out.HELD_OUT
    assert set(held_out.for_report(held_out.REPORT_SEEDS[0])) == set(KINDS)
    with pytest.raises(ValueError, match="no seed to tune with"):
        held_out.for_tuning(held_out.REPORT_SEEDS[0])
    with pytest.raises(ValueError, match="no seed of a report"):
        held_out.for_report(held_out.TUNING_SEEDS[0])


@pytest.mark.parametrize("seed", [203, 241, 312, 375])
def test_no_clean_week_has_a_day_on_which_a_sensor_was_out(seed: int) -> None:
    """These seeds draw from the days about 10 March 2011, when no humidity was measured."""
    assert clean(seed, STATIONS)["humidity_pct"].notna().all()


def test_a_clean_week_holds_to_its_contract(frame: pd.DataFrame) -> None:
    contract = usable(CONTRACT.read_bytes(), CONTRACT.name, Contract)
    assert contract.names == COLUMNS
    report = validate(contract, plain(frame))
    assert report.passed, report.problems


def test_a_week_has_the_shape_of_the_real_day(frame: pd.DataFrame) -> None:
    by_hour = frame[frame["workingday"] == 1].groupby("local_hour")["rentals"].mean()
    assert by_hour.idxmax() in (8, 17, 18)
    assert by_hour.max() > 10 * by_hour.loc[3]


def test_a_week_is_made_the_same_again_and_other_seeds_give_others(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(frame, clean(SEED, STATIONS))
    assert not frame.equals(week(start_of(SEED), SEED + 1, STATIONS))


def test_weeks_begin_on_mondays_within_their_year() -> None:
    for year in (2011, 2012, 2015):
        weeks = list(mondays(year))
        assert {each.dayofweek for each in weeks} == {0}
        assert {each.year for each in weeks} == {year}
        assert len(set(weeks)) == 52


@pytest.mark.parametrize(("name", "strength"), CASES)
def test_a_fault_changes_the_batch_and_is_planted_the_same_again(
    name: str, strength: float, frame: pd.DataFrame
) -> None:
    before = frame.copy()
    once, again = (planted(KINDS[name], strength, frame, SEED) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    pd.testing.assert_frame_equal(frame, before)
    assert not plain(once).reset_index(drop=True).equals(plain(frame))
