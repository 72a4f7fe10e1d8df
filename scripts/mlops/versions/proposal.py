"""A pull request with a dataset's new version: the pin, and raw files that it is made of."""

from dataclasses import dataclass

from mlops import digests
from mlops.data.pin import Pin, pin_path, read_pin, to_dvc
from mlops.environments.proposal import commit_files, same_commit
from mlops.errors import BadInput, bad_input
from mlops.forges import Forge, PullRequest
from mlops.graph import affected
from mlops.lineage import told
from mlops.repository import Layout, Repository


@dataclass(frozen=True)
class Proposed:
    """The version, the one that main pins (None: none yet), and the pull request.

    `opened` is None when main pins this version already.
    """

    pin: Pin
    before: Pin | None
    opened: PullRequest | None


def propose(repo: Repository, forge: Forge, dataset: str) -> Proposed:
    """Open the pull request that pins the work tree's version on the forge's main branch.

    Its branch is named by the content: run again, or killed and run again, it is the same one.
    Neither the work tree nor its index is touched.

    Raises:
        BadInput: when the pin is missing or wrong, or the branch is taken by something else.
    """
    pin = read_pin(repo, dataset)
    forge.fetch()
    main = forge.main()
    before = _pinned(repo.commit(main), dataset)
    if before == pin:
        return Proposed(pin, before, None)
    branch = f"data/{dataset}-{digests.short(pin.digest)}"
    title = f"{dataset}: {pin.rows} rows, version {digests.short(pin.digest)}"
    commit = commit_files(repo, main, _files(repo, repo.commit(main), pin), title)
    there = forge.waiting(branch)
    if there and same_commit(repo, there, commit):
        commit = there
    body = _body(repo.commit(commit), pin, before)
    told.wrote_in_commit(repo.root / pin_path(dataset), to_dvc(pin).encode())
    return Proposed(
        pin, before, forge.open_pull_request(branch, commit, title, body, replaces=there)
    )


def _pinned(layout: Layout, dataset: str) -> Pin | None:
    """What main pins; None when it pins nothing, or something that cannot be read."""
    try:
        return read_pin(layout, dataset)
    except BadInput:
        return None


def _files(repo: Repository, main: Layout, pin: Pin) -> dict[str, bytes]:
    """The pin, and each raw file it names that main lacks."""
    found = {pin_path(pin.dataset): to_dvc(pin).encode()}
    for raw in pin.raw:
        content = repo.tree.read(raw.path)
        if content is None or digests.of_bytes(content) != digests.PREFIX + raw.sha256:
            raise bad_input(
                raw.path,
                f"is not the file that {pin_path(pin.dataset)} names",
                f"restore it, or ingest again: mlops data ingest {pin.dataset} FILE...",
            )
        if main.tree.read(raw.path) != content:
            found[raw.path] = content
    return found


def _body(layout: Layout, pin: Pin, before: Pin | None) -> str:
    reached = affected(layout, [pin_path(pin.dataset)])
    was = f"`{digests.short(before.digest)}`, {before.rows} rows" if before else "none"
    lines = [
        f"| dataset | `{pin.dataset}` |",
        "|---|---|",
        f"| version | `{digests.short(pin.digest)}`, {pin.rows} rows |",
        f"| before | {was} |",
        f"| contract | {pin.contract}, every rule holds |",
        f"| models that learn from it | {', '.join(reached.models) or 'none'} |",
        f"| services that serve these | {', '.join(reached.services) or 'none'} |",
        "",
        "Its checks validate the rows, train the models and compare them with what serves.",
        "To undo it after the merge: `git revert` of that commit.",
    ]
    return "\n".join(lines) + "\n"
