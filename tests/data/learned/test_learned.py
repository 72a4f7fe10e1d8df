"""Rules learned from clean weeks: what they hold, what they find, what they leave alone."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.faults.all_kinds import KINDS
from benchmarks.faults.batch import CONTRACT, clean, plain, planted, reference
from benchmarks.faults.held_out import HELD_OUT, TUNING_SEEDS
from mlops.data.contract import Contract
from mlops.data.learned.checking import check
from mlops.data.learned.learning import Taught, learn
from mlops.data.reading import usable
from mlops.errors import BadInput
from tests.data.test_validation import contract_of

STATIONS, WEEKS, SEED = 30, 10, TUNING_SEEDS[40]
VERSION = "sha256:" + "0" * 64
Told = Callable[[pd.DataFrame], dict[str, str]]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return usable(CONTRACT.read_bytes(), CONTRACT.name, Contract)


@pytest.fixture(scope="module")
def taught(contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    file = reference(tmp_path_factory.mktemp("learned") / "year.parquet", 50, STATIONS, WEEKS)
    return learn(contract, file, VERSION)


@pytest.fixture(scope="module")
def told(contract: Contract, taught: Taught) -> Told:
    def tell(frame: pd.DataFrame) -> dict[str, str]:
        rows = pa.Table.from_pandas(plain(frame), preserve_index=False)
        found = check(contract, taught.learned, taught.known, rows)
        return {each.rule.place: each.observed for each in found if not each.passed}

    return tell


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return clean(SEED, STATIONS)


def test_what_belongs_to_a_station_for_good_is_known(taught: Taught) -> None:
    known = {each.of: each for each in taught.learned.known}
    assert known["station_id"].columns == ("station_name", "district", "capacity")
    assert "rentals" in known["station_id"].levels
    assert len(taught.known["station_id"].splitlines()) == STATIONS + 1
    assert known["hour of the week of hour_at"].columns == ("local_hour", "weekday")


def test_the_weather_goes_with_the_hour(taught: Taught) -> None:
    together = {each.of: each.columns for each in taught.learned.together}
    assert {"weather", "temp_c", "felt_c", "humidity_pct"} <= set(together["hour_at"])


def test_a_sum_is_found_and_is_exact(taught: Taught) -> None:
    exact = [fit for fit in taught.learned.fits if {fit.column, *fit.by} >= {"casual", "rentals"}]
    assert exact
    name = f"{exact[0].column} less what follows from {', '.join(exact[0].by)}"
    assert taught.learned.rules[name]["least"].low == taught.learned.rules[name]["most"].high == 0


def test_the_same_version_teaches_the_same(
    contract: Contract, taught: Taught, tmp_path: Path
) -> None:
    file = reference(tmp_path / "again.parquet", 50, STATIONS, WEEKS)
    again = learn(contract, file, VERSION)
    assert again.learned.model_dump_json() == taught.learned.model_dump_json()
    assert again.known == taught.known


def test_a_clean_week_breaks_nothing(told: Told, frame: pd.DataFrame) -> None:
    assert told(frame) == {}


STRONG = {
    "missing-at-random": "wind_kmh: missing",
    "dollars-for-euros": "revenue_eur over what follows from",
    "summer-time": "hour_at: with different local_hour",
    "missing-hours": "hour_at: ",
    "wrong-parent": "station_id: rows with another district",
    "default-value": "station_id: rows with another capacity",
    "frozen-feed": "station_id: ",
    "repeated-rows": "the table: ",
}


@pytest.mark.parametrize("name", STRONG)
def test_a_strong_fault_is_told_by_the_rule_that_it_breaks(
    name: str, told: Told, frame: pd.DataFrame
) -> None:
    assert name not in HELD_OUT
    kind = KINDS[name]
    found = told(planted(kind, kind.strengths[-1], frame, SEED))
    assert any(place.startswith(STRONG[name]) for place in found), found


def test_a_rule_that_is_off_is_not_asked(
    contract: Contract, taught: Taught, frame: pd.DataFrame
) -> None:
    place = "station_id: rows with another capacity"
    off = taught.learned.model_copy(update={"off": (place,)})
    rows = pa.Table.from_pandas(plain(frame.assign(capacity=1)), preserve_index=False)
    assert place not in {e.rule.place for e in check(contract, off, taught.known, rows)}


def test_a_column_that_is_not_there_is_missing_and_the_rest_is_looked_at(
    told: Told, frame: pd.DataFrame
) -> None:
    found = told(frame.drop(columns="minutes"))
    assert found["minutes: missing"] == "1"
    assert "temp_c: missing" not in found


def test_learning_needs_periods_and_enough_of_them(contract: Contract, tmp_path: Path) -> None:
    file = reference(tmp_path / "few.parquet", 50, 10, 3)
    with pytest.raises(
        BadInput, match="there are 3 weeks of `hour_at` to learn from; 8 are needed"
    ):
        learn(contract, file, VERSION)
    with pytest.raises(BadInput, match="does not say how often rows come"):
        learn(contract_of(), file, VERSION)
