"""What an environment answers over HTTP, against the registered model asked offline."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from mlops.data.pin import fetch, read_pin
from mlops.data.table import load
from mlops.errors import bad_input, not_good
from mlops.registry import Registry
from mlops.repository import Repository
from mlops.training.champion import serving_in
from mlops.training.evaluation import scorer_of
from mlops.training.metrics import Floats
from mlops.training.rows import records

if TYPE_CHECKING:
    from mlops.scoring.scorer import Scorer
    from mlops.specs.release import Release

ROWS_A_REQUEST = 100
TIMEOUT = 10.0


@dataclass(frozen=True)
class Answers:
    """How many rows were asked, and how far the answers are from the offline predictions."""

    release: int
    rows: int
    requests: int
    different: int
    largest: float


def compare_answers(
    repo: Repository, model: str, environment: str, rows: int, url: str | None = None
) -> Answers:
    """Ask an environment's service for the newest rows and compare bit for bit.

    The service is asked at `url`, or where the follower of this machine serves it. The offline side
    is the artifact that the registry holds for the release's model digest, with the feature code of
    the release's source commit.

    Raises:
        BadInput: when the environment serves no such model, or the registry lacks it.
        NotGood: when the service does not answer, or another release does.
    """
    release = serving_in(repo, repo, model, environment).release
    scorer = _registered(repo, release, model)
    frame = load(fetch(repo, read_pin(repo, repo.model(model).data.dataset))).tail(rows)
    asked = records(frame, scorer.features)
    port = repo.settings(environment, release.service).local_port
    at = url or f"http://127.0.0.1:{port}"
    answered = _ask(f"environments/{environment}/{release.service}", at, release.release, asked)
    apart = np.abs(answered - scorer.score(asked))
    return Answers(
        release=release.release,
        rows=len(asked),
        requests=-(-len(asked) // ROWS_A_REQUEST),
        different=int(np.count_nonzero(apart)),
        largest=float(apart.max(initial=0.0)),
    )


def _registered(repo: Repository, release: "Release", model: str) -> "Scorer":
    digest = next(pin.digest for pin in release.models if pin.name == model)
    registered = Registry.of(repo).find(model, digest=digest)
    if registered is None:
        raise bad_input(
            f"models/{model}",
            f"the registry has no version with the content {digest}",
            f"train it again from {release.source.commit[:12]}",
        )
    return scorer_of(repo, repo.commit(release.source.commit), registered)


def _ask(where: str, url: str, release: int, asked: Sequence[Any]) -> Floats:
    at = urlsplit(url)
    kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = kind(at.hostname or "", at.port, timeout=TIMEOUT)
    found: list[float] = []
    try:
        for start in range(0, len(asked), ROWS_A_REQUEST):
            some = asked[start : start + ROWS_A_REQUEST]
            body = json.dumps({"rows": [row.model_dump(mode="json") for row in some]})
            connection.request(
                "POST", f"{at.path.rstrip('/')}/predict", body, {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise not_good(where, f"answers {answer.status}", "see its log")
            parsed = json.loads(content)
            if parsed["release"] != release:
                raise not_good(
                    where,
                    f"release {parsed['release']} answers, Git says {release}",
                    f"mlops status --env {where.split('/')[1]} --wait 60",
                )
            found += parsed["predictions"]
    except OSError as error:
        fix = f"run `mlops follow {where.split('/')[1]}`, or say where it is by --url"
        raise not_good(where, f"does not answer at {url} ({error})", fix) from error
    finally:
        connection.close()
    return np.array(found)
