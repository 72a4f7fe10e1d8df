"""Numbers in another unit: one station's feed was changed, or many were."""

import numpy as np
import pandas as pd

from benchmarks.faults.kind import SHARES, kind, some_stations


def _scaled(
    frame: pd.DataFrame,
    column: str,
    rows: np.ndarray,
    factor: float,
    *,
    digits: int,
    plus: float = 0,
) -> pd.DataFrame:
    given = frame.loc[rows, column]
    frame.loc[rows, column] = (given * factor + plus).round(digits).astype(given.dtype)
    return frame


@kind(
    "fahrenheit-for-celsius",
    of="other unit of measurement (Kim, Rahm, Do)",
    group="relation",
    strengths=SHARES,
)
def _fahrenheit(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_stations(frame, share, chance)
    return _scaled(frame, "temp_c", rows, 9 / 5, plus=32, digits=1)


@kind(
    "metres-a-second",
    of="other unit of measurement (Kim, Rahm, Do)",
    group="relation",
    strengths=SHARES,
)
def _metres(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _scaled(frame, "wind_kmh", some_stations(frame, share, chance), 1 / 3.6, digits=1)


@kind(
    "hours-for-minutes",
    of="other unit of measurement (Kim, Rahm, Do)",
    group="relation",
    strengths=SHARES,
)
def _hours(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _scaled(frame, "minutes", some_stations(frame, share, chance), 1 / 60, digits=0)


@kind("share-for-percent", of="scaling (JENGA)", group="relation", strengths=SHARES)
def _share(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _scaled(frame, "humidity_pct", some_stations(frame, share, chance), 0.01, digits=2)


@kind("cents-for-euros", of="scaling (JENGA)", group="relation", strengths=SHARES)
def _cents(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _scaled(frame, "revenue_eur", some_stations(frame, share, chance), 100, digits=0)


@kind("dollars-for-euros", of="other currency (Kim)", group="relation", strengths=SHARES)
def _dollars(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _scaled(frame, "revenue_eur", some_stations(frame, share, chance), 1.09, digits=2)
