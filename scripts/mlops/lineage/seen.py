"""The graph that events and logs in the stores and files in Git tell of; no server is asked."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops import digests
from mlops.checks.planning import default_base
from mlops.data.pin import Pin
from mlops.environments.timeline import timeline
from mlops.errors import Problem
from mlops.lineage import logs
from mlops.lineage.graph import FILE, SERVING, Derivation, Graph, Node
from mlops.lineage.kept import Kept
from mlops.lineage.step import NUMBER
from mlops.repository import Repository
from mlops.specs.release import Release
from mlops.versions.consumers import learned, released
from mlops.versions.history import changes, readable

ENDED_WELL = '"eventType":"COMPLETE"'


@dataclass
class _Found:
    """What is being put together."""

    derivations: list[tuple[Derivation, str | None]] = field(default_factory=list)
    facts: list[Derivation] = field(default_factory=list)
    labels: dict[Node, str] = field(default_factory=dict)
    places: defaultdict[Node, set[str]] = field(default_factory=lambda: defaultdict(set))


def load(repo: Repository) -> Graph:
    """Steps that ended well, and what pins and releases in Git say.

    Git's history is that of HEAD and of the forge's main branch as last fetched. A file that holds
    no events is told of on standard error and left out.
    """
    found = _Found()
    for file, text in _ends(repo):
        try:
            _take(found, json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            what = f"does not end with an event of lineage ({type(error).__name__})"
            sys.stderr.write(f"{Problem(str(file), what, 'delete it; the rest counts')}\n")
    refs = dict.fromkeys((repo.git.head(), repo.commit_id(default_base(repo))))
    for ref in refs:
        found.facts += _pins(repo, ref)
        for release in released(repo.git, ref):
            found.facts += _release(repo, release)
            for model in release.models:
                found.labels[Node("model", model.name, model.digest)] = str(model.version)
    found.facts += _served(repo, next(reversed(refs)))
    for place, logged in logs.files(repo):
        found.facts.append(logged)
        for node in logged.outputs:
            found.places[node].add(place)
    whole = {parent for _, parent in found.derivations if parent}
    return Graph(
        # A step that only held others together says nothing that they don't.
        tuple(one for one, _ in found.derivations if one.run not in whole or _products(one)),
        tuple(found.facts),
        found.labels,
        {node: frozenset(places) for node, places in found.places.items()},
    )


def _products(one: Derivation) -> bool:
    return any(node.kind != FILE for node in one.outputs)


def _ends(repo: Repository) -> Iterator[tuple[Path, str]]:
    """The last event of each run that ended well."""
    for file in Kept(repo.stores).files():
        lines = file.read_text(errors="replace").splitlines()
        if lines and ENDED_WELL in lines[-1]:
            yield file, lines[-1]


def _take(found: _Found, event: Any) -> None:
    job, run = event["job"], event["run"]
    source = job["facets"].get("sourceCodeLocation", {})
    parent = run["facets"].get("parent", {}).get("run", {}).get("runId")
    one = Derivation(
        job=job["name"],
        at=event["eventTime"],
        commit=source.get("version"),
        run=run["runId"],
        inputs=frozenset(_nodes(found, event["inputs"])),
        outputs=frozenset(_nodes(found, event["outputs"])),
    )
    found.derivations.append((one, parent))


def _nodes(found: _Found, datasets: Iterable[Any]) -> Iterator[Node]:
    for one in datasets:
        kind, _, name = one["name"].partition("/")
        facets = one["facets"]
        node = Node(kind, name, facets["version"]["datasetVersion"])
        for tag in facets.get("tags", {}).get("tags", ()):
            if tag["key"] == NUMBER:
                found.labels[node] = tag["value"]
        identifiers = facets.get("symlinks", {}).get("identifiers", ())
        found.places[node].update(each["name"] for each in identifiers)
        yield node


def _pins(repo: Repository, ref: str) -> Iterator[Derivation]:
    """What each pin says: the raw files in Git, or the versions of others, that make a version."""
    for dataset in repo.datasets():
        for one in readable(changes(repo.git, ref, dataset)):
            version = Node("dataset", dataset, one.pin.digest)
            at, commit = _utc(one.change.at), one.change.commit
            step = "derive" if one.pin.sources else "ingest"
            yield _fact(f"data.{step}.{dataset}", at, commit, _made_of(one.pin), version)


def _made_of(pin: Pin) -> frozenset[Node]:
    raw = (Node("raw", file.path, digests.PREFIX + file.sha256) for file in pin.raw)
    sources = (
        Node("dataset", source.dataset, digests.PREFIX + source.sha256) for source in pin.sources
    )
    return frozenset((*raw, *sources))


def _release(repo: Repository, release: Release) -> Iterator[Derivation]:
    """What a release file says: what it is made of, and what its models learned from."""
    service, commit = release.service, release.source.commit
    bento = Node("bento", service, release.bento)
    parts = {
        bento,
        Node("evidence", service, release.evidence.digest),
        *(Node("model", one.name, one.digest) for one in release.models),
        *(Node("dataset", one.name, one.digest) for one in release.datasets),
    }
    if release.image:
        image = Node("image", release.image.name, release.image.digest)
        parts.add(image)
        yield _fact(f"build.{service}", "", commit, frozenset({bento}), image)
    number = Node("release", service, str(release.release))
    yield _fact(f"release.{service}", "", commit, frozenset(parts), number)
    for dataset in release.datasets:
        rows = Node("dataset", dataset.name, dataset.digest)
        for model in learned(repo, release, dataset.name):
            made = Node("model", model.name, model.digest)
            yield _fact(f"train.{model.name}", "", commit, frozenset({rows}), made)
    models = frozenset(Node("model", one.name, one.digest) for one in release.models)
    yield _fact(f"build.{service}", "", commit, models, bento)


def _served(repo: Repository, ref: str) -> Iterator[Derivation]:
    """Which release each environment holds now, and since when."""
    layout = repo.commit(ref)
    for environment in layout.order:
        for service in layout.served_in(environment):
            if held := layout.release(environment, service):
                last = timeline(repo.git, ref, environment, service)[-1]
                release = frozenset({Node("release", service, str(held.release))})
                place = Node(SERVING, f"{environment}/{service}", str(held.release))
                yield _fact(f"merge.{service}", _utc(last.at), last.commit, release, place)


def _fact(job: str, at: str, commit: str, inputs: frozenset[Node], output: Node) -> Derivation:
    return Derivation(job, at, commit, None, inputs, frozenset({output}))


def _utc(moment: str) -> str:
    """A moment of Git as events write theirs."""
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat(timespec="milliseconds")
