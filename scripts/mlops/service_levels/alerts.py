"""Alert rules for Prometheus, from the datasets' contracts.

infra/monitoring/datasets.yaml is a pure function of the contracts that promise service levels, and
of mlops.toml, which says where the page is that an alert links to. Without such a contract there
is no such file.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mlops.data.contract import Contract, read_contract
from mlops.errors import BadInput, MlopsError, Problem
from mlops.files import dump_yaml
from mlops.repository import PROJECT_FILE, Layout
from mlops.service_levels.contacts import Contacts, contacts
from mlops.service_levels.exposition import BROKEN, DUE, GAPS, LOOKED, LOST, WAITING
from mlops.service_levels.promises import Promises, promises
from mlops.specs.project import Project

PATH = "infra/monitoring/datasets.yaml"
RUNBOOK = "docs/data-operations.md"
RENDERER = "1"
"""Raised whenever the same inputs give another text."""
HEAD = f"""\
# Rendered by mlops, renderer {RENDERER}, from data-contracts/*.odcs.yaml and {PROJECT_FILE}.
# Never edit this file: change those and run `mlops render`.
# A rule file of Prometheus for the metrics of `mlops data status --metrics`; {RUNBOOK}
# says how to have it read, and what to do for each alert.
"""
SILENT_FOR = 2 * 24 * 3600
"""Seconds without a look at a dataset, after which nothing is known of it."""
Rule = dict[str, Any]


def concerns(path: str) -> bool:
    """Whether the rules are made of a file, or are it."""
    return path in (PATH, PROJECT_FILE) or (
        path.startswith("data-contracts/") and path.endswith(".odcs.yaml")
    )


def expected(layout: Layout) -> str | None:
    """The text of the rule file; None when no contract promises service levels.

    Raises:
        BadInput: with every contract whose service levels cannot be read.
    """
    groups: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for dataset in layout.datasets():
        try:
            groups += _groups(layout.project, read_contract(layout, dataset))
        except MlopsError as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return HEAD + dump_yaml({"groups": groups}) if groups else None


def is_rendered(path: str) -> bool:
    """Whether a file is the rule file."""
    return path == PATH


def stale(layout: Layout, _changed: Collection[str] | None = None) -> dict[str, str | None]:
    """The rule file, when it is not current, with what it has to hold (None: removed).

    Raises:
        BadInput: like `expected`.
    """
    text, given = expected(layout), layout.tree.read(PATH)
    if given == (None if text is None else text.encode()):
        return {}
    return {PATH: text}


def stale_problem(_layout: Layout, path: str, text: str | None) -> Problem:
    """What is wrong with a rule file that is not current; `text` is what it has to hold."""
    what = (
        f"is not what the contracts and {PROJECT_FILE} render to"
        if text is not None
        else "is there, but no contract promises service levels"
    )
    return Problem(path, what, "run `mlops render` and commit the result, never edit it by hand")


@dataclass(frozen=True)
class _Alert:
    """One alert of a dataset; `lasting`: how long it has to hold before it is told."""

    name: str
    expression: str
    summary: str
    lasting: str | None = None


def _groups(project: Project, contract: Contract) -> Iterator[dict[str, Any]]:
    if not contract.sla_properties or contract.status.lower() == "retired":
        return
    alerts = _alerts(contract.name, promises(contract))
    rules = [_rule(project, contract, alert) for alert in alerts]
    yield {"name": f"dataset-{contract.name}", "rules": rules}


def _alerts(dataset: str, promised: Promises) -> Iterator[_Alert]:
    one = f'{{dataset="{dataset}"}}'  # a name: nothing in it has to be quoted
    if promised.ask_for_new_rows or promised.available:
        at = "{{ $value | humanizeTimestamp }}"
        yield _Alert("DatasetLate", f"{DUE}{one} < time()", f"newer rows were due at {at}")
    if promised.frequency:
        yield _Alert("DatasetIncomplete", f"{GAPS}{one} > 0", "spans without rows: {{ $value }}")
    if promised.retention:
        summary = "versions that cannot be had any more: {{ $value }}"
        yield _Alert("DatasetVersionsLost", f"{LOST}{one} > 0", summary)
    summary = "rules that the pinned version breaks: {{ $value }}"
    yield _Alert("DatasetInvalid", f"{BROKEN}{one} > 0", summary)
    summary = "batches that wait in quarantine: {{ $value }}"
    yield _Alert("DatasetBatchWaits", f"{WAITING}{one} > 0", summary)
    silent = f"absent({LOOKED}{one} > time() - {SILENT_FOR})"
    yield _Alert("DatasetNotLookedAt", silent, "not looked at for two days, or not wholly", "1h")


def _rule(project: Project, contract: Contract, alert: _Alert) -> Rule:
    asked, name = contacts(contract), contract.name
    annotations = {
        "summary": f"{name}: {alert.summary}",
        "description": f"Tell {_literal(str(asked))}. `mlops data status {name}` says more.",
        "support": _literal(asked.where),
        "runbook_url": f"{_page(project)}#{alert.name.lower()}",
    }
    return {
        "alert": alert.name,
        "expr": alert.expression,
        **({"for": alert.lasting} if alert.lasting else {}),
        # `absent` gives no label of its own.
        "labels": {"dataset": name, "severity": "warning", **_owners(asked)},
        "annotations": {key: text for key, text in annotations.items() if text},
    }


def _owners(asked: Contacts) -> dict[str, str]:
    """Whom the Alertmanager can route by; left out where the contract names nobody."""
    named = {"team": asked.team, "owner": asked.owner}
    return {key: _literal(name) for key, name in named.items() if name}


def _literal(text: str) -> str:
    """A contract's text as Prometheus' templates show it as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _page(project: Project) -> str:
    """Where people read the page: on the forge, or in a clone when there is no forge's page."""
    forge, page = project.forge, project.page
    if page is None:
        return RUNBOOK
    tree = "blob" if forge.kind == "github" else "src/branch"
    return f"{page}/{tree}/{forge.main}/{RUNBOOK}"
