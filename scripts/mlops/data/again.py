"""A version of a dataset, made again of the raw files or the versions that its pin records."""

from collections.abc import Iterator

import pandas as pd

from mlops import digests
from mlops.data import table
from mlops.data.contract import Contract, read_contract
from mlops.data.delivery import State, put_in, receive, single
from mlops.data.delivery_policy import Policy, policy_of
from mlops.data.derive import derived_again
from mlops.data.ingest_step import Step, read_step, run_step
from mlops.data.pin import Pin, RawFile, pin_path, read_pin
from mlops.data.raw import raw_rows
from mlops.data.typed import conformed, read
from mlops.errors import BadInput, MlopsError, Problem, bad_input
from mlops.git import GitFailed
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Layout, Repository


def made_again(repo: Repository, pin: Pin) -> bytes:
    """The version's bytes, verified against the pin.

    Contract and ingest step may have changed since: tried are those of the work tree when it
    pins this version, then those of each commit that began or ceased to pin it.

    Raises:
        BadInput: with the reason of each try, when none gives the content pinned.
    """
    problems: list[Problem] = []
    for layout in _trees(repo, pin):
        try:
            content = _content(repo, layout, pin)
        except MlopsError as error:
            problems += error.problems
            continue
        found = digests.of_bytes(content)
        if found == pin.digest:
            return content
        what = f"its {pin.made_of} give {found} here"
        fix = "use the packages of requirements/ at that commit"
        problems.append(Problem(pin_path(pin.dataset), what, fix))
    if not problems:
        what = f"no commit of this clone pins {pin.digest}"
        problems = [Problem(pin_path(pin.dataset), what, "git fetch --unshallow")]
    raise BadInput(dict.fromkeys(problems))


def _trees(repo: Repository, pin: Pin) -> Iterator[Layout]:
    path = pin_path(pin.dataset)
    if repo.tree.read(path) is not None and read_pin(repo, pin.dataset).digest == pin.digest:
        yield repo
    looked_for = f"-S{pin.digest.removeprefix(digests.PREFIX)}"
    try:
        commits = repo.git.text("log", "--format=%H", looked_for, "--all", "--", path).split()
    except GitFailed:
        return
    for commit in commits:
        yield repo.commit(commit)


def _content(repo: Repository, layout: Layout, pin: Pin) -> bytes:
    """What a tree's step and contract make of what is recorded, raw files oldest first."""
    if pin.sources:
        return derived_again(repo, layout, pin)
    contract = read_contract(layout, pin.dataset)
    step, policy = read_step(layout, pin.dataset), policy_of(contract)
    held = {each.sha256 for each in pin.deliveries.taken}
    state = State()
    for file in pin.raw:
        came = _passed_on(layout, step, file)
        # Files from before the contract had a policy were taken without one.
        rows = _received(contract, policy if file.sha256 in held else Policy(), state, came)
        state = put_in(contract, policy, state, rows)
    return table.encode(contract, conformed(contract, pd.DataFrame(state.rows)))


def _received(contract: Contract, policy: Policy, state: State, came: pd.DataFrame) -> pd.DataFrame:
    rows = read(contract, single(contract, policy, came).rows).rows
    return receive(contract, policy, state, rows).rows if policy.is_said else rows


def _passed_on(layout: Layout, step: Step, file: RawFile) -> pd.DataFrame:
    content = layout.tree.read(file.path)
    if content is None:
        raise bad_input(file.path, "is not in Git", "restore it")
    if digests.of_bytes(content) != digests.PREFIX + file.sha256:
        raise bad_input(file.path, "is not the file that was ingested", "restore it from Git")
    told.name(content, Thing("raw"))
    raw = raw_rows(content, file.path)
    if lacking := [name for name in step.columns if name not in raw.columns]:
        raise bad_input(file.path, f"lacks {', '.join(lacking)}", "restore it from Git")
    return run_step(step, raw)
