"""Broken batches, kept aside with the reason: nothing of them enters the dataset."""

import json
from pathlib import Path

from mlops import digests
from mlops.data.validation import Report
from mlops.files import write_whole
from mlops.repository import Repository


def keep_aside(repo: Repository, name: str, raw: bytes, report: Report) -> Path:
    """Put a raw batch into `quarantine/<dataset>/<first 12 of its SHA-256>/` of the stores.

    The same batch again finds its folder and renews the reason.

    Args:
        name: the raw file's name.
        raw: its bytes, kept as they are.
        report: what is wrong with it.
    """
    digest = digests.of_bytes(raw)
    dataset = report.contract.dataset
    folder = repo.stores / "quarantine" / dataset / digests.short(digest)
    write_whole(folder / name, raw)
    reason = {"file": name, "digest": digest, **report.as_json()}
    write_whole(folder / "reason.json", json.dumps(reason, indent=2) + "\n")
    write_whole(folder / "reason.md", _readable(name, digest, report))
    return folder


def _readable(name: str, digest: str, report: Report) -> str:
    broken = "\n".join(f"- {problem.what}" for problem in report.problems)
    contract = report.contract
    return f"""# {name}: kept aside

This batch of `{contract.dataset}` ({report.rows} rows, `{digest}`) breaks version
{contract.version} of the contract `{contract.path}`:

{broken}

None of its rows entered the dataset; the pin and the stored data are as they were. Rows are
counted from 1, below the header. Ingest the batch again when it is corrected, or change the
contract in a pull request if the data is right:

    mlops data validate {contract.dataset} --batch {name}
    mlops data ingest {contract.dataset} {name}
"""
