"""Batch scoring: a registered model's predictions for many rows, in a Parquet file."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import digests
from mlops.data.pin import read_pin
from mlops.errors import bad_input
from mlops.files import write_whole
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.registry import Registered
from mlops.repository import Repository
from mlops.scoring.scorer import Scorer
from mlops.serving.predictions.columns import PREDICTION
from mlops.training.candidate import registered_of

if TYPE_CHECKING:
    from pandas import DataFrame

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class Scored:
    """Predictions that were written: the file, and how many rows by which version.

    `outside` counts values of features that break the contract which the model was trained by.
    """

    path: Path
    rows: int
    registered: Registered
    outside: Mapping[str, int]


def predictions_path(repo: Repository, model: str) -> Path:
    """Where the work tree's model keeps what it predicts for the newest days of its pinned data.

    Raises:
        BadInput: when the model is not trained yet.
    """
    return path_of(repo, registered_of(repo, model))


def path_of(repo: Repository, registered: Registered) -> Path:
    """Like `predictions_path`, of a version: named by the model's and the data's digest."""
    pinned = read_pin(repo, repo.model(registered.model).data.dataset).digest
    name = f"{digests.short(registered.digest)}-{digests.short(pinned)}.parquet"
    return repo.stores / "predictions" / registered.model / name


def score(
    repo: Repository, registered: Registered, rows: Path | None = None, to: Path | None = None
) -> Scored:
    """Predict every row and write keys, moments and predictions; the file is whole or absent.

    Args:
        registered: the version that predicts.
        rows: Parquet or CSV with the fields of the model's Record; None: the newest days of the
            pinned data, which training has not seen.
        to: the file to write; None: `path_of`, and only for the pinned data.

    Raises:
        BadInput: when the rows are not what Record asks for.
    """
    from mlops.training.evaluation import scorer_of

    if rows is not None and to is None:
        raise bad_input("--to", "is missing", "name the file to write beside --rows")
    scorer = scorer_of(repo, repo, registered)
    frame = _newest(repo, registered.model) if rows is None else _read(rows)
    place = to or path_of(repo, registered)
    content = _encoded(_predicted(repo, registered, frame, scorer), registered)
    write_whole(place, content)
    told.wrote(place.absolute(), content, Thing("predictions", registered.model))
    counts = zip(scorer.card.columns, scorer.outside.tolist(), strict=True)
    outside = {feature: count for feature, count in counts if count}
    return Scored(place, len(frame), registered, outside)


def _newest(repo: Repository, model: str) -> "DataFrame":
    from mlops.training.holdout import split

    return split(repo, repo, model).holdout


def _read(file: Path) -> "DataFrame":
    import pandas

    if file.suffix not in SUFFIXES:
        raise bad_input(file, "is neither .parquet nor .csv", "name a file of one of these kinds")
    if not file.is_file():
        raise bad_input(
            file, "file is missing", "name a file with the fields of the model's Record"
        )
    told.read_file(file.absolute(), Thing("rows"))
    reader: Any = pandas.read_parquet if file.suffix == ".parquet" else pandas.read_csv
    try:
        found: DataFrame = reader(file)
    except (ValueError, OSError) as error:  # pyarrow's and pandas' errors are of these kinds
        said = str(error).strip().splitlines()[0]
        raise bad_input(file, f"cannot be read ({said})", "write it anew") from error
    return found


def _predicted(
    repo: Repository, registered: Registered, frame: "DataFrame", scorer: Scorer
) -> "DataFrame":
    from mlops.data.contract import read_contract
    from mlops.training.rows import records

    data = repo.model(registered.model).data
    wanted = (*read_contract(repo, data.dataset).primary_key, data.time)
    kept = [name for name in dict.fromkeys(wanted) if name in frame.columns]
    return frame[kept].assign(**{PREDICTION: scorer.score(records(frame, scorer.features))})


def _encoded(frame: "DataFrame", registered: Registered) -> bytes:
    """Parquet bytes that name the model; the same rows and model give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    about = {"mlops.model": registered.model, "mlops.model.digest": registered.digest}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(about), sink, compression="zstd")
    return sink.getvalue()
