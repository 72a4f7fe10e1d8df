"""A raw file as a batch: taken through the ingest step and held to the contract."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mlops.data import rules
from mlops.data.contract import Contract
from mlops.data.current import current
from mlops.data.deliveries import state_of
from mlops.data.delivery import Received, Single, State, receive, single
from mlops.data.delivery_policy import Policy, policy_of
from mlops.data.expectations import columns_outcome
from mlops.data.ingest_step import passed_on, read_step
from mlops.data.learned.files import with_learned
from mlops.data.raw import read_raw
from mlops.data.validation import Report, validate
from mlops.repository import Repository


def check_batch(repo: Repository, contract: Contract, file: Path) -> Report:
    """A raw file, taken through the ingest step and checked against the contract.

    What was learned of the dataset is asked of a file that has all columns, and what the contract
    says of late and duplicate rows of one that holds to the rest.

    Raises:
        BadInput: when the file or the ingest step cannot be read.
    """
    policy = policy_of(contract)
    state = state_of(policy, current(repo, contract)) if policy.is_said else State()
    return check(repo, contract, policy, state, file).report


@dataclass(frozen=True)
class Checked:
    """A delivery, checked; `received` is None when it breaks the contract."""

    report: Report
    raw: pd.DataFrame
    single: Single
    received: Received | None

    @property
    def rows(self) -> pd.DataFrame:
        """The typed rows that enter the version."""
        return self.received.rows if self.received else self.report.typed

    @property
    def dropped(self) -> dict[str, pd.Index]:
        """Row numbers of what is dropped, by kind."""
        if self.received is None:
            return {}
        twice = self.single.dropped.append(self.received.duplicates)
        return {"late": self.received.late, "duplicates": twice}

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are dropped, by kind."""
        return {kind: len(rows) for kind, rows in self.dropped.items()}


def check(
    repo: Repository, contract: Contract, policy: Policy, state: State, file: Path
) -> Checked:
    """The same against a version as it is when the file's turn comes.

    Args:
        repo: the clone.
        contract: the dataset's.
        policy: the contract's, of late and duplicate rows.
        state: the version that the rows would enter.
        file: raw CSV.

    Raises:
        BadInput: when the file or the ingest step cannot be read.
    """
    step = read_step(repo, contract.dataset)
    raw = read_raw(repo, file)
    once = single(contract, policy, passed_on(step, contract, raw))
    found = validate(contract, once.rows, subject=repo.shown(file), engine=repo.project.data.engine)
    report = replace(found, outcomes=(*found.outcomes, *once.outcomes))
    if not set(step.columns).issubset(raw.columns):
        lacking = columns_outcome(rules.raw_columns(step.columns), raw.columns, len(raw))
        report = replace(report, outcomes=(lacking, *report.outcomes[1:]))
        return Checked(report, raw, once, None)
    report = with_learned(repo, report)
    if not policy.is_said or not report.passed:
        return Checked(report, raw, once, None)
    received = receive(contract, policy, state, report.typed)
    whole = replace(report, outcomes=(*report.outcomes, *received.outcomes))
    return Checked(whole, raw, once, received)


def rows_passed_on(repo: Repository, contract: Contract, file: Path) -> pd.DataFrame:
    """What the ingest step makes of a raw file, or would pass on of one that lacks its columns.

    Raises:
        BadInput: when the file or the ingest step cannot be read.
    """
    return passed_on(read_step(repo, contract.dataset), contract, read_raw(repo, file))
