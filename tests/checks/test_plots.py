"""Pictures of a model: light, the same bytes each time, and no name in them is more than text."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlops.checks.plots import BLUE, ORANGE, Picture, Series, drawn
from mlops.specs.base import parse
from mlops.specs.model import Model
from tests.team import PROJECT

pytestmark = pytest.mark.slow
HOSTILE = ("$\\\\frac{1}{", "<script>alert(1)</script>", "\u202eright to left", "x" * 500, "")


def classified(rows: int = 4000) -> Picture:
    """Probabilities that are right, and others that say too little."""
    chance = np.random.default_rng(0)
    p = chance.beta(1.2, 3, rows)
    text = (PROJECT / "models" / "toy-line" / "model.yaml").read_bytes()
    gates = b"gates:\n  relative: [{metric: auc}]\n  cost: {size_mb: 1, latency_ms: 50}\n"
    changed = text.partition(b"gates:")[0].replace(b"regression", b"classification") + gates
    moments = pd.date_range("2024-01-01", periods=rows, freq="15min")
    return Picture(
        spec=parse(changed, "model.yaml", Model),
        rows=pd.DataFrame({"moment": moments, "side": "left"}),
        digest="sha256:" + "1" * 64,
        y=(chance.random(rows) < p).astype(np.float64),
        series=(
            Series("candidate", p, BLUE, "o", "-"),
            Series("release 3", p * 0.8, ORANGE, "s", "--"),
        ),
    )


def test_the_same_figures_give_the_same_light_pictures_of_800_pixels() -> None:
    drift = [("x", 0.3), ("side", 0.1)]
    pictures = drawn(classified(), drift)
    assert drawn(classified(), drift) == pictures
    for content in pictures:
        assert len(content) < 60_000
        assert Image.open(io.BytesIO(content)).width == 800


def test_names_are_shown_as_text_whatever_is_in_them() -> None:
    drift = [(name, 0.5) for name in HOSTILE]
    errors, _ = drawn(classified(rows=50), drift)
    assert Image.open(io.BytesIO(errors)).width == 800


def test_a_single_row_can_be_drawn() -> None:
    assert all(drawn(classified(rows=1), []))
