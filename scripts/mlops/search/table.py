"""What a search found beside what stands in model.yaml, as rows of a table."""

from collections.abc import Iterator

from mlops.search.searching import Outcome

Row = tuple[str, str, str]
HEADINGS = ("", "model.yaml", "found")


def rows_of(found: Outcome) -> Iterator[Row]:
    """Each searched parameter, the metric on each window, and its mean."""
    start, best = found.start, found.best
    for name in found.search.space:
        yield name, f"{start.params[name]}", f"{best.params[name]}"
    metric = found.search.metric
    for number, pair in enumerate(zip(start.folds, best.folds, strict=True), 1):
        yield f"{metric}, window {number}", f"{pair[0]:.5g}", f"{pair[1]:.5g}"
    yield f"{metric}, mean", f"{start.value:.5g}", f"{best.value:.5g}"


def verdict(found: Outcome) -> str:
    """In one sentence."""
    tried = f"{len(found.trials)} tried"
    if not found.is_better:
        return f"Nothing better than what stands in model.yaml was found ({tried})"
    metric, gain = found.search.metric, found.gain
    return f"{metric} {gain:.1%} better on the windows ({tried}, the best is {found.best.number})"


def markdown(found: Outcome) -> str:
    """The table and the sentence."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows_of(found)]
    return "\n".join([*lines, "", f"{verdict(found)}."])
