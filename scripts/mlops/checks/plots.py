"""Pictures of a model for reviewers: where it errs, what drifts, and its predictions in time.

The same figures give the same bytes. Colours are told apart by readers who see few (Okabe and
Ito, Color Universal Design, 2008), and each series has a mark of its own besides.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops import digests
from mlops.environments.markdown import visible
from mlops.files import write_whole
from mlops.specs.evidence import Interval
from mlops.specs.model import Model
from mlops.specs.result import Plot
from mlops.training.bootstrap import draws, interval
from mlops.training.comparison import deciding_metric, slices_of
from mlops.training.metrics import Floats
from mlops.training.outcome import Outcome

if TYPE_CHECKING:
    from pandas import DataFrame

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#555555"
INCH = 100
"""Pixels; the figures are 8 inches wide."""
GROUPS, COLUMNS, BINS, LONGEST = 12, 8, 168, 20
"""What is shown at most: slices, drifted columns, points in time, characters of a name."""
ABOVE = 24
"""Points between axes and title, for the legend."""
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Series:
    """A model's predictions for the holdout."""

    name: str
    values: Floats
    colour: str
    mark: str
    line: str


@dataclass(frozen=True)
class Picture:
    """What is drawn of one model."""

    spec: Model
    rows: "DataFrame"
    digest: str
    y: Floats
    series: tuple[Series, Series]

    @property
    def metric(self) -> str:
        """The one that decides."""
        return deciding_metric(self.spec)


def plots(spec: Model, found: Outcome, folder: Path) -> tuple[Plot, ...]:
    """Draw a model's pictures into a folder, as PNG of 800 pixels' width.

    Args:
        spec: the model's spec.
        found: what was measured; drawn against its champion, else the stated baseline.
        folder: where they go.
    """
    picture = _picture(spec, found)
    rival = picture.series[1].name
    drift = [(one.column, one.statistic) for one in found.measured.evidence.drift]
    left = f"{picture.metric} by slice" if spec.task == "regression" else "calibration"
    errors, predictions = drawn(picture, drift)
    return (
        _saved(
            folder,
            f"{spec.model}-errors.png",
            errors,
            f"{spec.model}: {left}, candidate and {rival} on {len(picture.y):,} rows that "
            "the candidate has not seen; drift of each column from its training rows",
        ),
        _saved(
            folder,
            f"{spec.model}-predictions.png",
            predictions,
            f"{spec.model}: actual and predicted {_short(spec.data.target)} over the holdout",
        ),
    )


def drawn(picture: Picture, drift: Sequence[tuple[str, float]]) -> tuple[bytes, bytes]:
    """PNG of the errors beside the drift of columns, and of the predictions in time."""
    with _style():
        return _png(_errors(picture, drift)), _png(_in_time(picture))


def _picture(spec: Model, found: Outcome) -> Picture:
    champion, pair = found.champion, found.pair
    name = f"release {champion.release.release}" if champion else "baseline"
    return Picture(
        spec=spec,
        rows=found.rows.holdout,
        digest=found.rows.digest,
        y=pair.y,
        series=(
            Series("candidate", pair.p, BLUE, "o", "-"),
            Series(name, pair.other, ORANGE, "s", "--"),
        ),
    )


def _style() -> Any:
    import matplotlib

    settings: Any = {**matplotlib.rcParamsDefault, **STYLE, "backend": "agg"}
    return matplotlib.rc_context(settings)


def _figure(height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, height), dpi=INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _saved(folder: Path, name: str, content: bytes, caption: str) -> Plot:
    write_whole(folder / name, content)
    return Plot(file=name, digest=digests.of_bytes(content), caption=caption)


def _png(figure: Any) -> bytes:
    """The figure's bytes, with a palette: a third of the size, and no difference to be seen."""
    from PIL import Image

    drawn, reduced = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    image = Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(reduced, format="PNG", optimize=True)
    return reduced.getvalue()


def _errors(picture: Picture, drift: Sequence[tuple[str, float]]) -> Any:
    groups = _groups(picture) if picture.spec.task == "regression" else []
    bars = sorted(drift, key=lambda one: (-one[1], one[0]))[:COLUMNS]
    height = max(2.6, 1.2 + 0.36 * max(len(groups), len(bars)))
    figure = _figure(3.6 if not groups else height)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    if groups:
        _draw_slices(left, picture, groups)
    else:
        _draw_calibration(left, picture)
    _draw_drift(right, bars)
    return figure


def _groups(picture: Picture) -> list[tuple[str, Any]]:
    """Labels and places of the rows: all, then each slice."""
    found: list[tuple[str, Any]] = [("all rows", np.arange(len(picture.y)))]
    for column, group, index in slices_of(picture.spec, picture.rows):
        found.append((f"{_short(column)} = {_short(group)}", index))
    return found[: GROUPS + 1]


def _draw_slices(axes: Any, picture: Picture, groups: Sequence[tuple[str, Any]]) -> None:
    for series, offset in zip(picture.series, (-0.16, 0.16), strict=True):
        found = [_interval(picture, series, index) for _, index in groups]
        values = np.array([one.value for one in found])
        ends = np.array([[one.low for one in found], [one.high for one in found]])
        axes.errorbar(
            values,
            np.arange(len(groups)) + offset,
            xerr=np.abs(ends - values),
            fmt=series.mark,
            color=series.colour,
            markersize=5,
            capsize=3,
            label=series.name,
        )
    labels = [f"{name}\n{len(index):,} rows" for name, index in groups]
    axes.set_yticks(range(len(groups)), labels)
    axes.invert_yaxis()
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    confidence = picture.spec.evaluation.confidence
    axes.set_title(f"{picture.metric}, with {confidence:.0%} interval", pad=ABOVE)
    axes.grid(axis="x", alpha=0.3)
    _legend(axes)


def _interval(picture: Picture, series: Series, index: Any) -> Interval:
    rows = picture.rows.iloc[index]
    drawn = draws(picture.spec.evaluation, rows, picture.digest)
    return interval(picture.metric, picture.y[index], series.values[index], drawn)


def _draw_calibration(axes: Any, picture: Picture) -> None:
    """Predicted against observed shares, in ten groups of as many rows each."""
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, label="perfect")
    for series in picture.series:
        parts = [part for part in np.array_split(np.argsort(series.values), 10) if len(part)]
        said = [series.values[part].mean() for part in parts]
        seen = [picture.y[part].mean() for part in parts]
        axes.plot(
            said, seen, series.line, marker=series.mark, color=series.colour, label=series.name
        )
    axes.set(xlabel="predicted probability", ylabel="observed share")
    axes.set_title("Calibration", pad=ABOVE)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    _legend(axes)


def _draw_drift(axes: Any, bars: Sequence[tuple[str, float]]) -> None:
    names = [_short(column) for column, _ in bars]
    values = [value for _, value in bars]
    axes.barh(range(len(bars)), values, color=BLUE, height=0.6)
    for place, value in enumerate(values):
        axes.annotate(
            f"{value:.2f}", (value, place), (3, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(bars)), names)
    axes.set_ylim(max(len(bars), 4) - 0.5, -0.5)
    axes.set_xlim(0, 1.2)
    axes.set_xticks([0, 0.5, 1])
    axes.set_title("Drift, 0 (same) to 1", pad=ABOVE)


def _legend(axes: Any) -> None:
    """Between title and axes: there it hides nothing."""
    axes.legend(
        frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0
    )


def _in_time(picture: Picture) -> Any:
    moments = picture.rows[picture.spec.data.time]
    parts = np.array_split(np.arange(len(moments)), min(BINS, len(moments)))
    at = [moments.iloc[part[0]] for part in parts]
    figure = _figure(3.0)
    axes = figure.subplots()

    def means(values: Floats) -> list[float]:
        return [float(values[part].mean()) for part in parts]

    axes.plot(at, means(picture.y), color="black", linewidth=2.2, alpha=0.45, label="actual")
    for series in picture.series:
        axes.plot(
            at,
            means(series.values),
            series.line,
            color=series.colour,
            linewidth=1.3,
            label=series.name,
        )
    together = len(moments) / len(parts)
    note = "each row" if together == 1 else f"means of {together:.3g} rows"
    days = f"{moments.iloc[0]:%Y-%m-%d} to {moments.iloc[-1]:%Y-%m-%d}"
    axes.set_title(f"{_short(picture.spec.data.target)}, {days}, {note}", pad=ABOVE)
    _legend(axes)
    axes.margins(x=0.01)
    axes.grid(alpha=0.3)
    _dates(axes)
    return figure


def _dates(axes: Any) -> None:
    from matplotlib import dates

    typed: Any = dates  # matplotlib's own types end here
    locator = typed.AutoDateLocator(minticks=4, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    first, last = axes.get_xlim()
    axes.xaxis.set_major_formatter(typed.DateFormatter("%d %b" if last - first > 3 else "%d, %Hh"))


def _short(name: str) -> str:
    text = visible(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
