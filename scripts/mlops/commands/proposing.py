"""What release, promote and rollback say while they work and at their end."""

import json
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from mlops.environments.proposal import Proposed
    from mlops.repository import Repository

skip_behind = click.option(
    "--skip-behind",
    is_flag=True,
    help="When main has moved on from HEAD, say so and do nothing: for the runs of a busy day.",
)


class Steps:
    """Tells each step on standard error: a spinner while it runs, then its seconds."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._now = ""
        self._since = 0.0

    def __enter__(self) -> "Steps":
        self._status.start()
        return self

    def __call__(self, step: str) -> None:
        """The step that begins now; the one before is done."""
        self._done()
        self._now, self._since = step, time.monotonic()
        self._status.update(escape(step))

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._done()
        self._status.stop()

    def _done(self) -> None:
        if self._now:
            seconds = time.monotonic() - self._since
            self._console.print(f"  [dim]{escape(self._now)} ({seconds:.1f} s)[/dim]")


def values(found: "Proposed") -> dict[str, object]:
    """What was proposed, for machines."""
    decision, opened = found.proposal.decision, found.pull_request
    return {
        "kind": decision.kind,
        "service": decision.service,
        "environment": decision.environment,
        "release": decision.release,
        "replaces": found.proposal.champion.release if found.proposal.champion else None,
        "branch": opened.branch,
        "commit": opened.commit,
        "new": opened.new,
        "text": opened.place,
        "merge": list(opened.merge),
        "plain_revert": (
            found.proposal.plain_revert.commit if found.proposal.plain_revert else None
        ),
        "comparisons": [one.model_dump(mode="json") for one in decision.comparisons],
        "checks": [check.model_dump(mode="json") for check in found.checks],
    }


def told(found: "Proposed") -> str:
    """What was proposed and what to do next, for people."""
    decision, opened = found.proposal.decision, found.pull_request
    champion = found.proposal.champion
    replaces = f"release {champion.release}" if champion else "nothing"
    state = "pushed" if opened.new else "was there already, unchanged"
    what = f"{decision.kind}: {decision.service} release {decision.release}"
    lines = [
        f"{what} in {decision.environment}, in place of {replaces}",
        f"  {'branch':<8}{opened.branch} ({state})",
        f"  {'checks':<8}all {len(found.checks)} passed",
        f"  {'text':<8}{near(opened.place)}",
    ]
    if found.proposal.plain_revert is not None:
        commit = found.proposal.plain_revert.commit[:12]
        lines.append(f"  {'or':<8}git revert {commit} (does the same, without a tool)")
    return "\n".join([*lines, "Next: read the text, then merge:", *_indented(opened.merge)])


def _indented(lines: tuple[str, ...]) -> list[str]:
    return [f"  {line}" for line in lines]


def left_to_newer(repo: "Repository", *, as_json: bool) -> bool:
    """Whether main has moved on from HEAD, so that the run of its newer commit does this."""
    from mlops.environments.releases import newer_main

    main = newer_main(repo)
    if main is None:
        return False
    said = (
        f"{repo.project.forge.main} is at {main[:12]} by now: nothing was released from "
        f"{repo.git.head()[:12]}, the run of the newer commit does it"
    )
    click.echo(json.dumps({"release": None, "branch": None, "main": main}) if as_json else said)
    return True


def near(place: str) -> str:
    """A path from the folder where the person is, when that is shorter."""
    return place if "://" in place else min(os.path.relpath(place), place, key=len)
