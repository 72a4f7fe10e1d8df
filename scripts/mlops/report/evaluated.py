"""Whether a maintainer had exactly a commit evaluated where the data can be read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.forges import HostedForge

EVALUATION = "mlops / evaluation"
"""Under which name a maintainer's run tells its verdict of the commit."""


@dataclass(frozen=True)
class Evaluation:
    """A run that found exactly this commit good; `url` is where it can be read."""

    commit: str
    url: str | None


def evaluation_of(forge: "HostedForge", commit: str) -> Evaluation | None:
    """The newest evaluation of exactly this commit, when it found it good.

    Only the identity of this very token counts: in a job that is the forge's own, which tells
    verdicts with `statuses: write` and which a fork's job has for reading alone.

    Raises:
        BadInput: when the forge cannot be asked.
    """
    said = forge.own_status(commit, EVALUATION)
    return Evaluation(commit, said.url) if said and said.state == "success" else None
