"""Models whose data has no version yet: nothing can be trained, and nothing is wrong."""

from mlops.data.derivation import ingested_of
from mlops.data.pin import first_version, pin_path
from mlops.errors import MlopsError
from mlops.repository import Layout


def waits_for_data(layout: Layout, model: str, *, derives: bool = False) -> str | None:
    """That a tree pins no version of a model's dataset, and how to make one; None when it does.

    A model or dataset that cannot be read waits for nothing: its own check tells what is wrong.

    Args:
        derives: whether data made of other datasets is going to be made: only these have to be
            pinned then.
    """
    try:
        dataset = layout.model(model).data.dataset
        if dataset not in layout.datasets():
            return None
        needed = ingested_of(layout, dataset) if derives else (dataset,)
        lacking = [name for name in needed if layout.tree.read(pin_path(name)) is None]
        how = first_version(layout, *lacking)
    except MlopsError:
        return None
    if not lacking:
        return None
    return f"{model} waits for data: no version of {', '.join(lacking)} is pinned yet; {how}"
