"""Which version of which thing a person means."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from mlops import digests
from mlops.checks.planning import default_base
from mlops.data.pin import pin_path, read_pin
from mlops.environments.timeline import timeline
from mlops.errors import BadInput, bad_input
from mlops.lineage.graph import KINDS, SERVING, Graph, Node
from mlops.lineage.step import shown
from mlops.repository import Repository

DIGEST = re.compile(r"(sha256:)?[0-9a-f]{6,64}")
NUMBERED = re.compile(r"(?P<name>[a-z][a-z0-9-]*)(@(?P<number>[1-9][0-9]*))?")
SHOWN = 5
"""Names that a message offers."""


def node_of(repo: Repository, graph: Graph, text: str, at: datetime | None = None) -> Node:
    """The version that a text names.

    Args:
        repo: the clone.
        graph: what is known.
        text: a file; `<environment>/<service>`; the beginning of a digest; or `[<kind>:]<name>`,
            of models and releases with `@<number>` for one that is not the newest.
        at: of an environment's service, the release that it held then; None: now.

    Raises:
        BadInput: when it names nothing that is known, or several things; near names are told.
    """
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        kind, rest = "", text
    if at is not None or _is_place(repo, rest):
        return _held(repo, rest, at)
    finders = (_files, _numbered, _digests)
    for finder in finders:
        found = {one for one in finder(repo, graph, rest) if not kind or one.kind == kind}
        if len(found) == 1:
            return found.pop()
        if found:
            raise _several(text, rest, found)
    raise _unknown(repo, graph, text)


def _is_place(repo: Repository, text: str) -> bool:
    environment, slash, service = text.partition("/")
    return bool(slash) and environment in repo.order and service in repo.services()


def _held(repo: Repository, text: str, at: datetime | None) -> Node:
    """The release that an environment held of a service."""
    environment, _, service = text.partition("/")
    if not _is_place(repo, text):
        places = [f"{one}/{each}" for one in repo.order for each in repo.services()]
        raise bad_input(text, "is not ENVIRONMENT/SERVICE", f"name one of {_listed(places)}")
    entries = timeline(repo.git, default_base(repo), environment, service)
    moment = at or datetime.now(UTC)
    until = [one for one in entries if datetime.fromisoformat(one.at) <= moment]
    held = until[-1].release if until else None
    if held is None:
        raise bad_input(
            f"environments/{text}",
            f"held no release on {moment:%Y-%m-%d %H:%M} UTC" if at else "holds no release",
            f"see which it held when: mlops history {service} --env {environment}",
        )
    return Node("release", service, str(held.release))


def _files(repo: Repository, graph: Graph, text: str) -> Iterator[Node]:
    """A file by its content; one that is gone by its name, the newest that was seen of it."""
    path = Path(text).absolute()
    name = shown(repo, str(path))
    if path.is_file():
        content = digests.of_file(path)
        same = [node for node in graph.nodes if node.version == content]
        here = [node for node in same if name in {node.name, *graph.places.get(node, ())}]
        yield from here or same
        return
    for one in reversed(graph.all):
        for node in sorted(one.outputs | one.inputs):
            if name in {node.name, *graph.places.get(node, ())} and ("/" in text or "." in text):
                yield node
                return


def _numbered(repo: Repository, graph: Graph, text: str) -> Iterator[Node]:
    """Models by their number in the registry, releases by theirs, datasets by their pin."""
    fits = NUMBERED.fullmatch(text)
    if not fits:
        return
    name, number = fits["name"], fits["number"]
    for kind in ("model", "release"):
        known = {
            int(label): node
            for node in graph.nodes
            if node.kind == kind and node.name == name and (label := _number(graph, node))
        }
        if known and (number is None or int(number) in known):
            yield known[int(number) if number else max(known)]
    if number is None and name in repo.datasets() and repo.tree.read(pin_path(name)):
        yield Node("dataset", name, read_pin(repo, name).digest)


def _number(graph: Graph, node: Node) -> str | None:
    return node.version if node.kind == "release" else graph.labels.get(node)


def _digests(_: Repository, graph: Graph, text: str) -> Iterator[Node]:
    if DIGEST.fullmatch(text):
        wanted = digests.PREFIX + text.removeprefix(digests.PREFIX)
        yield from (node for node in graph.nodes if node.version.startswith(wanted))


def _several(text: str, name: str, found: Iterable[Node]) -> BadInput:
    kinds = sorted({one.kind for one in found}, key=KINDS.index)
    if len(kinds) > 1:
        fix = f"write {' or '.join(f'{kind}:{name}' for kind in kinds)}"
        return bad_input(text, f"is the name of a {' and a '.join(kinds)}", fix)
    texts = [f"{one.kind}:{one.version}" for one in sorted(found)]
    return bad_input(text, f"fits {len(texts)} versions", f"write more of one: {_listed(texts)}")


def _unknown(repo: Repository, graph: Graph, text: str) -> BadInput:
    path = Path(text)
    if path.is_file():
        what = f"no step has read or written a file with this content ({_content(path)})"
        return bad_input(text, what, "name it as it was, or ask for its digest then")
    near = get_close_matches(text, sorted(_names(repo, graph)), 3, 0.6)
    fix = f"did you mean {_listed(near)}?" if near else f"name one of {_listed(_known(repo))}"
    return bad_input(text, "is nothing that a step has read or written, or that Git holds", fix)


def _content(path: Path) -> str:
    return digests.short(digests.of_file(path))


def _names(repo: Repository, graph: Graph) -> Iterator[str]:
    yield from _known(repo)
    yield from (f"{one}/{each}" for one in repo.order for each in repo.services())
    for node in graph.nodes:
        if number := _number(graph, node):
            yield f"{node.name}@{number}"
        elif node.kind != SERVING:
            yield node.name


def _known(repo: Repository) -> list[str]:
    return sorted({*repo.models(), *repo.services(), *repo.datasets()})


def _listed(names: Iterable[str]) -> str:
    shown_names = list(dict.fromkeys(names))
    more = len(shown_names) - SHOWN
    return ", ".join(shown_names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
