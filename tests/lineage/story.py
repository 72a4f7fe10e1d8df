"""A short history of the toy project, told as steps tell it, in milliseconds."""

from mlops import digests
from mlops.lineage import told
from mlops.lineage.step import recording
from mlops.lineage.told import Thing
from tests.releases import fake_digest
from tests.team import Team

ROWS, MODEL, BENTO = fake_digest("rows"), fake_digest("model", "toy", 1), fake_digest("bento")


def told_story(team: Team) -> None:
    """From a raw file to predictions and a release."""
    raw = team.root / "raw.csv"
    raw.write_text("x\n1\n")
    predicted = team.root / "predicted.parquet"
    predicted.write_text("predicted")
    dataset = Thing("dataset", "toy-points", ROWS)
    model = Thing("model", "toy-line", MODEL, "1")
    with recording(team.repo, "data.ingest", "toy-points"):
        told.read_file(raw, Thing("raw"))
        told.wrote(team.stores / "datasets" / "rows.parquet", ROWS, dataset)
    with recording(team.repo, "data.validate", "toy-points"):
        told.read("rows", ROWS, dataset)
    with recording(team.repo, "train", "toy-line"):
        told.read("rows", ROWS, dataset)
        told.wrote(team.stores / "models", MODEL, model)
    with recording(team.repo, "score", "toy-line"):
        told.read("rows", ROWS, dataset)
        told.read("model", MODEL, model)
        told.wrote(predicted, digests.of_file(predicted), Thing("predictions", "toy-line"))
    with recording(team.repo, "release", "toy"):
        with recording(team.repo, "build", "toy"):
            told.read("model", MODEL, model)
            told.wrote("bento", BENTO, Thing("bento", "toy"))
        told.wrote("release", fake_digest("release"), Thing("release", "toy", "1"))
