"""Which tests a change needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.repository import Repository

TEST_FOLDERS = ("tests", "models", "apps")


@dataclass(frozen=True)
class Selection:
    """Tests as pytest takes them (node ids, files, folders); `reason` says why these."""

    tests: tuple[str, ...]
    reason: str
    everything: bool = False


def select(repo: Repository, base: str, changed: Sequence[str]) -> Selection:
    """The tests to run for a change of `changed` since the commit `base`.

    Without knowledge of what a test executes, it is all of them.
    """
    folders = tuple(folder for folder in TEST_FOLDERS if (repo.root / folder).is_dir())
    code = [path for path in changed if _decides(path)]
    if not folders or not code:
        return Selection((), "nothing that tests execute or read has changed")
    return Selection(folders, "it is not recorded which tests a change reaches", everything=True)


def _decides(path: str) -> bool:
    """Whether a test may depend on a file: what serves and what is written for people does not."""
    return not path.startswith("environments/") and not path.endswith(".md")
