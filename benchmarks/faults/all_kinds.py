"""All kinds of faults, from the modules that define them."""

from benchmarks.faults import (
    distributions,
    keys,
    missing,
    relations,
    times,
    units,
    wrong_form,
)
from benchmarks.faults.kind import KINDS

__all__ = ["KINDS", "distributions", "keys", "missing", "relations", "times", "units", "wrong_form"]
