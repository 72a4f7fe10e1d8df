"""Values that mean the right thing and are written wrong: types, spelling, encoding, precision."""

import numpy as np
import pandas as pd

from benchmarks.faults.kind import SHARES, STRICT, as_text, kind, some_rows, some_stations


@kind("text-in-numbers", of="wrong data type (Kim)", group="schema", strengths=STRICT)
def _text(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "temp_c")
    frame.loc[some_rows(frame, share, chance), "temp_c"] = "error"
    return frame


@kind(
    "decimal-comma", of="other representation of a number (Kim)", group="schema", strengths=STRICT
)
def _comma(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "revenue_eur")
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "revenue_eur"] = frame.loc[rows, "revenue_eur"].str.replace(".", ",")
    return frame


@kind(
    "renamed-columns",
    of="naming conflict of the schema (Rahm, Do)",
    group="schema",
    strengths=(1, 2, 4),
)
def _renamed(frame: pd.DataFrame, count: float, chance: np.random.Generator) -> pd.DataFrame:
    others = [str(name) for name in frame if name not in ("station_id", "hour_at")]
    chosen = chance.choice(others, int(count), replace=False)
    return frame.rename(columns={name: name.replace("_", "").upper() for name in chosen})


@kind("misspelt-category", of="misspelling (Kim)", group="outliers", strengths=STRICT)
def _misspelt(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "weather")
    rows = some_rows(frame, share, chance)
    given = frame.loc[rows, "weather"]
    frame.loc[rows, "weather"] = given.str[0] + given.str[2] + given.str[1] + given.str[3:]
    return frame


@kind(
    "other-letter-case",
    of="non-standard: other form of a text (Kim)",
    group="outliers",
    strengths=SHARES,
)
def _case(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "district")
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "district"] = frame.loc[rows, "district"].str.upper()
    return frame


@kind("broken-encoding", of="other encoding (Kim, JENGA)", group="outliers", strengths=SHARES)
def _encoding(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "station_name")
    rows = some_stations(frame, share, chance)
    names = frame.loc[rows, "station_name"].unique()
    broken = {name: name.encode().decode("latin-1") for name in names}
    frame.loc[rows, "station_name"] = frame.loc[rows, "station_name"].map(broken)
    return frame


@kind("cut-text", of="incomplete value (Kim)", group="outliers", strengths=SHARES)
def _cut(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "station_name")
    rows = some_stations(frame, share, chance)
    frame.loc[rows, "station_name"] = frame.loc[rows, "station_name"].str[:8]
    return frame


@kind("padded-text", of="extraneous characters (Kim)", group="outliers", strengths=STRICT)
def _padded(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    as_text(frame, "district")
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "district"] = frame.loc[rows, "district"] + " "
    return frame


@kind("lost-precision", of="other precision (Kim)", group="distribution", strengths=SHARES)
def _precision(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_stations(frame, share, chance)
    frame.loc[rows, "felt_c"] = frame.loc[rows, "felt_c"].round()
    return frame
