"""mlops data validate --stream: records from standard input, a verdict for each."""

import json
import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.records import Checker


def stream(repo: Repository, dataset: str, records: BinaryIO) -> int:
    """Write a verdict for each record as it comes; 1 when one broke the contract.

    Args:
        records: JSON Lines.
    """
    from mlops.data.contract import read_contract
    from mlops.data.records import Checker
    from mlops.data.stream import judged

    checker = Checker(read_contract(repo, dataset))
    _tell_rules(checker)
    count, broken, warned = 0, 0, 0
    for line in judged(checker, records):
        count, broken, warned = count + 1, broken + (not line.passed), warned + line.warned
        sys.stdout.write(json.dumps(line.as_json(checker.contract)) + "\n")
        sys.stdout.flush()
    told = f", {warned:,} with warnings" if warned else ""
    click.echo(f"{count:,} records: {broken:,} broken{told}", err=True)
    return Exit.NOT_GOOD if broken else Exit.DONE


def _tell_rules(checker: "Checker") -> None:
    from mlops.data.delivery_policy import policy_of

    judged, left = len(checker.judged), checker.not_judged
    of = f"{judged} of {judged + len(left)} rules of {checker.contract.path}"
    click.echo(f"each record is held to {of}", err=True)
    for rule, why in left:
        click.echo(f"  not judged on one record: {rule.text}; it {why}", err=True)
    for text in policy_of(checker.contract).texts.values():
        click.echo(f"  not judged on one record: {text}; it is about a delivery", err=True)
