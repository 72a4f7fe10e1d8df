"""What differs between versions: rows by key, columns, the largest changes."""

from pathlib import Path

import pandas as pd

from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import read_contract
from mlops.versions.differences import DataDifference, Side, differences
from mlops.versions.history import named
from tests.team import Team


def test_rows_are_counted_by_key_and_the_largest_changes_are_told(
    versions: tuple[Team, str, str], tmp_path: Path
) -> None:
    team, first, _ = versions
    rows = table.load(pins.fetch(team.repo, named(team.repo, "toy-points", first).pin))
    changed = rows.copy()
    changed["y"] += pd.Series({3: 100.0, 7: 1.0}).reindex(changed.index, fill_value=0.0)
    changed.loc[9, "x"] = None
    changed = changed.drop(index=[0, 1]).rename(columns={"side": "hand"})
    found = compared(team, tmp_path, rows, changed)
    assert (found.added, found.removed, found.changed) == (0, 2, 3)
    assert found.unchanged == len(rows) - 5
    columns = {one.name: one for one in found.columns}
    assert columns["y"].changed == 2
    assert [one.after - one.before for one in columns["y"].examples] == [100.0, 1.0]
    assert (columns["x"].missing_before, columns["x"].missing_after) == (0, 1)
    assert (columns["side"].after, columns["hand"].before) == (None, None)


def test_a_version_does_not_differ_from_itself(
    versions: tuple[Team, str, str], tmp_path: Path
) -> None:
    team, first, _ = versions
    rows = table.load(pins.fetch(team.repo, named(team.repo, "toy-points", first).pin))
    found = compared(team, tmp_path, rows, rows)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert not any(one.differs for one in found.columns)


def compared(team: Team, folder: Path, old: pd.DataFrame, new: pd.DataFrame) -> DataDifference:
    paths = [folder / "old.parquet", folder / "new.parquet"]
    for frame, path in zip((old, new), paths, strict=True):
        frame.to_parquet(path)
    key = read_contract(team.repo, "toy-points").primary_key
    one, other = (Side(path.name, path) for path in paths)
    found = differences(one, other, key, folder / "spill")
    assert list((folder / "spill").iterdir()) == []
    return found
