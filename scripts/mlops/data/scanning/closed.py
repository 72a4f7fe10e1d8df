"""A database in memory that reaches no file but those named, and no network."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEMORY = "2GB"
"""What the database holds at most; what does not fit goes to a temporary folder."""
CLOSED = {
    "autoload_known_extensions": False,
    "python_enable_replacements": False,  # no table is found among Python's variables
    "memory_limit": MEMORY,
    "preserve_insertion_order": False,
}


@contextmanager
def database(*files: Path) -> Iterator[Any]:
    """An empty database that may read these files; queries cannot change its settings."""
    import duckdb

    with (
        tempfile.TemporaryDirectory(prefix="mlops-duckdb-") as spill,
        duckdb.connect(":memory:", config={**CLOSED, "temp_directory": spill}) as opened,
    ):
        opened.execute("SET enable_progress_bar = false")
        opened.execute("SET allowed_paths = ?", [[str(file) for file in files]])
        opened.execute("SET enable_external_access = false")
        opened.execute("SET lock_configuration = true")
        yield opened
