"""A pull request with a dataset's new version, and with those of the datasets made of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mlops import digests
from mlops.data.derivation import chain_of, ingested_of, is_derived, with_derived
from mlops.data.derive import Made, made_in
from mlops.data.pin import Pin, pin_path, read_pin, store, to_dvc
from mlops.data.validated import remember
from mlops.environments.markdown import words
from mlops.environments.proposal import commit_files, same_commit
from mlops.errors import BadInput, MlopsError, Problem, bad_input
from mlops.forges import Forge, PullRequest
from mlops.graph import affected
from mlops.lineage import told
from mlops.lineage.step import recording
from mlops.repository import Layout, Repository


@dataclass(frozen=True)
class Version:
    """A version that is proposed, and the one that main pins (None: none yet)."""

    pin: Pin
    before: Pin | None


@dataclass(frozen=True)
class Proposed:
    """What main does not pin yet, sources before what is made of them, and the pull request.

    Attributes:
        versions: what is proposed.
        opened: None when main pins all of it already.
        remains: why a dataset that is made of these could not be made, a problem each.
    """

    versions: tuple[Version, ...]
    opened: PullRequest | None
    remains: tuple[Problem, ...] = ()


def propose(
    repo: Repository,
    forge: Forge,
    dataset: str,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Proposed:
    """Open the pull request that pins the work tree's version on the forge's main branch.

    Of a dataset made of others it is the versions of those that are ingested. What is made of
    what is proposed is made again, of the versions that main will pin, and pinned with it.
    The branch is named by the content: run again, or killed and run again, it is the same one.
    Neither the work tree nor its index is touched.

    Raises:
        BadInput: when the pin is missing or wrong, or the branch is taken by something else.
        MlopsError: when nothing is to be proposed but what is made of others, and that fails.
    """
    pins = _ingested(repo, dataset)
    forge.fetch()
    main = forge.main()
    layout = repo.commit(main)
    versions = [Version(pin, before) for pin in pins if (before := _pinned(layout, pin)) != pin]
    files = {path: text for each in versions for path, text in _files(repo, layout, each.pin)}
    asked = [name for name in chain_of(repo, dataset) if is_derived(repo, name)]
    made, failed = _made_of_them(repo, main, files, asked, progress)
    versions += made
    if not versions:
        for error in failed:
            raise error
        return Proposed((), None)
    files |= {pin_path(each.pin.dataset): to_dvc(each.pin).encode() for each in made}
    remains = tuple(dict.fromkeys(one for error in failed for one in error.problems))
    found = Proposed(tuple(versions), None, remains)
    return replace(found, opened=_opened(repo, forge, dataset, files, found))


def _opened(
    repo: Repository,
    forge: Forge,
    dataset: str,
    files: Mapping[str, bytes],
    found: Proposed,
) -> PullRequest:
    versions = found.versions
    branch = f"data/{dataset}-{digests.short(_named_by(dataset, versions))}"
    # What is made of others is told in the text: its version follows from theirs.
    first = [each for each in versions if not each.pin.sources] or versions
    title = "; ".join(f"{each.pin.dataset}: {_described(each.pin)}" for each in first)
    commit = commit_files(repo, forge.main(), files, title)
    there = forge.waiting(branch)
    if there and same_commit(repo, there, commit):
        commit = there
    body = _body(repo.commit(commit), versions, found.remains)
    for each in versions:
        path = repo.root / pin_path(each.pin.dataset)
        told.wrote_in_commit(path, to_dvc(each.pin).encode())
    return forge.open_pull_request(branch, commit, title, body, replaces=there)


def _named_by(dataset: str, versions: Sequence[Version]) -> str:
    """The digest of the ingested version that was asked for, or of all that are proposed.

    What is made of others may have the same rows while they have not.
    """
    found = {each.pin.dataset: each.pin for each in versions}
    if dataset in found and not found[dataset].sources:
        return found[dataset].digest
    return digests.of_json({name: pin.digest for name, pin in found.items()})


def _described(pin: Pin) -> str:
    return f"{pin.rows} rows, version {digests.short(pin.digest)}"


def _ingested(repo: Repository, dataset: str) -> list[Pin]:
    """What the work tree pins of the dataset, or of those that it is made of; at least one."""
    found: list[Pin] = []
    missing: list[Problem] = []
    for name in ingested_of(repo, dataset):
        try:
            found.append(read_pin(repo, name))
        except BadInput as error:
            missing += error.problems
    if not found:
        raise BadInput(missing)
    return found


def _made_of_them(
    repo: Repository,
    main: str,
    given: Mapping[str, bytes],
    asked: Collection[str],
    progress: Callable[[str], None],
) -> tuple[list[Version], list[MlopsError]]:
    """New versions of the datasets made of what is proposed, stored, each of those before it.

    Args:
        given: the files of the proposal, pins of ingested datasets among them.
        asked: datasets made of others that are made in any case.
    """
    files, found = dict(given), list[Version]()
    failed: list[MlopsError] = []
    for name in _to_make(repo.commit(main), given, asked):
        layout = repo.commit(commit_files(repo, main, files, "Pins") if files else main)
        try:
            made = _made(repo, layout, name, progress)
        except MlopsError as error:
            failed.append(error)
            continue
        before = _pinned(layout, made.pin)
        if made.pin != before:
            found.append(Version(made.pin, before))
            files[pin_path(name)] = to_dvc(made.pin).encode()
    return found, failed


def _to_make(layout: Layout, given: Iterable[str], asked: Collection[str]) -> list[str]:
    """What is made of the datasets whose pins are given, and what is asked for, sources first."""
    new = {name for name in layout.datasets() if pin_path(name) in set(given)}
    wanted = (with_derived(layout, new) - new).union(asked)
    order: dict[str, None] = {}
    for name in sorted(wanted):
        try:
            order |= dict.fromkeys(chain_of(layout, name))
        except MlopsError:  # which its turn tells
            order[name] = None
    return [name for name in order if name in wanted]


def _made(repo: Repository, layout: Layout, dataset: str, progress: Callable[[str], None]) -> Made:
    with recording(repo, "data.derive", dataset):
        made = made_in(repo, layout, dataset, progress=progress)
        store(repo, made.pin, made.content)
        remember(repo, layout, made.pin, made.report.summary(made.pin.digest))
    return made


def _pinned(layout: Layout, pin: Pin) -> Pin | None:
    """What a tree pins of the dataset; None when nothing, or something that cannot be read."""
    try:
        return read_pin(layout, pin.dataset)
    except BadInput:
        return None


def _files(repo: Repository, main: Layout, pin: Pin) -> list[tuple[str, bytes]]:
    """The pin, and each raw file it names that main lacks."""
    found = [(pin_path(pin.dataset), to_dvc(pin).encode())]
    for raw in pin.raw:
        content = repo.tree.read(raw.path)
        if content is None or digests.of_bytes(content) != digests.PREFIX + raw.sha256:
            raise bad_input(
                raw.path,
                f"is not the file that {pin_path(pin.dataset)} names",
                f"restore it, or ingest again: mlops data ingest {pin.dataset} FILE...",
            )
        if main.tree.read(raw.path) != content:
            found.append((raw.path, content))
    return found


def _body(layout: Layout, versions: Sequence[Version], remains: Sequence[Problem]) -> str:
    reached = affected(layout, [pin_path(each.pin.dataset) for each in versions])
    lines = [
        "| dataset | version | before | made of | contract, every rule holds |",
        "|---|---|---|---|---|",
        *map(_row, versions),
        "",
        f"Models that learn from these: {', '.join(reached.models) or 'none'}.",
        f"Services that serve them: {', '.join(reached.services) or 'none'}.",
        "",
        *(f"- **remains** {words(str(each))}" for each in remains),
        *([""] if remains else []),
        "Its checks validate the rows, train the models and compare them with what serves.",
        "To undo it after the merge: `git revert` of that commit.",
    ]
    return "\n".join(lines) + "\n"


def _row(version: Version) -> str:
    pin, before = version.pin, version.before
    was = f"`{digests.short(before.digest)}`, {before.rows} rows" if before else "none"
    of = ", ".join(f"`{each.dataset}` `{each.sha256[:12]}`" for each in pin.sources)
    name, now = pin.dataset, digests.short(pin.digest)
    return f"| `{name}` | `{now}`, {pin.rows} rows | {was} | {of or 'raw files'} | {pin.contract} |"
