"""Loading a bento: BentoML's app and the service's scoring."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from mlops.errors import MlopsError, bad_input
from mlops.serving import absent
from mlops.serving.route import Scoring


@contextmanager
def scratch(beside: Path | None = None) -> Iterator[None]:
    """One folder for all that BentoML writes, removed in the end.

    Args:
        beside: where it is made; a follower clears its own folder of what a killed process
            left. Default: the system's temporary folder.
    """
    folder = tempfile.mkdtemp(prefix=".bentoml-", dir=beside)
    os.environ.update(BENTOML_HOME=folder, BENTOML_DO_NOT_TRACK="True")
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def load(bento: Path) -> tuple[ASGIApp, Scoring]:
    """BentoML's own app for a bento, and its service's scoring.

    Raises:
        BadInput: when the service cannot be imported or declares no scoring.
    """
    absent.refuse()
    try:
        service = _service(bento)
    except MlopsError:
        raise
    except Exception as error:
        cause = str(error).partition("\n")[0]
        raise bad_input(
            bento,
            f"its service cannot be loaded ({type(error).__name__}: {cause})",
            "correct service.py (it may import what requirements/serve.txt holds) and build again",
        ) from error
    scoring = getattr(service.inner, "scoring", None)
    if not isinstance(scoring, Scoring):
        raise bad_input(
            bento / "src" / "service.py",
            "its class has no `scoring`",
            "add `scoring = Scoring(record, score)` as in the service shipped as an example",
        )
    return service.to_asgi(), scoring


def _service(bento: Path) -> Any:
    import bentoml
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.server.metrics.prometheus import PrometheusClient

    # One process: plain counters, instead of files shared by several workers.
    BentoMLContainer.metrics_client.set(PrometheusClient(multiproc=False))
    return bentoml.load(str(bento))
