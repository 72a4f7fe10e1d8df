"""Models whose data has no version yet: nothing can be trained, and nothing is wrong."""

from mlops.data.derivation import is_derived
from mlops.data.pin import ingest_line, pin_path
from mlops.errors import MlopsError
from mlops.repository import Layout


def waits_for_data(layout: Layout, model: str) -> str | None:
    """That a tree pins no version of a model's dataset, and how to make one; None when it does.

    A model or dataset that cannot be read waits for nothing: its own check tells what is wrong.
    """
    try:
        dataset = layout.model(model).data.dataset
    except MlopsError:
        return None
    if dataset not in layout.datasets() or layout.tree.read(pin_path(dataset)) is not None:
        return None
    line = ingest_line(dataset, derived=is_derived(layout, dataset))
    return f"{model} waits for data: no version of {dataset} is pinned yet; {line}"
