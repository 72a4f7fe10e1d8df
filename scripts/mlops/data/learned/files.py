"""The files of learned rules in the tree: read, written, and applied to a batch's report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlops import digests
from mlops.data.contract import Contract
from mlops.data.learned.learning import Taught
from mlops.data.learned.model import Learned, known_path, learned_path
from mlops.data.validation import Report
from mlops.errors import BadInput, Problem
from mlops.files import write_whole
from mlops.repository import Layout, Repository
from mlops.specs.base import read_if_there, to_yaml

SCHEMA = "../../scripts/mlops/specs/schemas/learned.schema.json"


@dataclass(frozen=True)
class Kept:
    """Learned rules as they lie in a tree, with the files of known values by column."""

    learned: Learned
    values: Mapping[str, bytes]


def read_learned(layout: Layout, contract: Contract) -> Kept | None:
    """A dataset's learned rules; None when none were learned.

    Raises:
        BadInput: when the files are wrong, or not of the contract as it is.
    """
    path = learned_path(contract.dataset)
    learned = read_if_there(layout.tree, path, Learned)
    if learned is None:
        return None
    names = {known_path(contract.dataset, each.of): each for each in learned.known}
    found = {each.of: layout.tree.read(name) for name, each in names.items()}
    problems = list(_gone(path, contract, learned))
    for name, each in names.items():
        content = found[each.of]
        if content is None or digests.of_bytes(content) != each.digest:
            what = "is missing" if content is None else f"is not the file that {path} names"
            problems.append(Problem(name, what, "restore it, or learn again"))
    if problems:
        raise BadInput(problems)
    return Kept(learned, {of: content for of, content in found.items() if content is not None})


def _gone(path: str, contract: Contract, learned: Learned) -> list[Problem]:
    """Columns that were learned of and that the contract does not have any more."""
    named = [learned.moment, *(name for fit in learned.fits for name in (fit.column, *fit.by))]
    named += [name for each in learned.together for name in each.columns]
    named += [name for each in learned.known for name in (*each.columns, *each.levels)]
    gone = sorted(set(named) - set(contract.names))
    fix = f"`mlops data learn {contract.dataset}`"
    return [Problem(path, f"was learned with a column `{name}`", fix) for name in gone]


def write(repo: Repository, taught: Taught) -> tuple[str, ...]:
    """Write learned rules into the work tree; gives the paths."""
    dataset = taught.learned.dataset
    paths = [known_path(dataset, of) for of in taught.known]
    for path, content in zip(paths, taught.known.values(), strict=True):
        write_whole(repo.root / path, content)
    # Last: it names the others by their digests.
    write_whole(repo.root / learned_path(dataset), to_yaml(taught.learned, schema=SCHEMA))
    return (learned_path(dataset), *paths)


def with_learned(layout: Layout, report: Report, file: Path | None = None) -> Report:
    """A batch's report with what the learned rules say of its rows, when there are any.

    Args:
        layout: the tree whose learned rules count.
        report: of the batch.
        file: the batch, when it is a Parquet file.
    """
    kept = read_learned(layout, report.contract)
    if kept is None:
        return report
    import pyarrow as pa

    from mlops.data.learned.checking import check

    rows = file or pa.Table.from_pandas(report.typed, preserve_index=False)
    found = check(report.contract, kept.learned, kept.values, rows)
    return replace(report, outcomes=(*report.outcomes, *found))
