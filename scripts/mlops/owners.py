"""CODEOWNERS, from the owners that mlops.toml and each env.yaml name."""

import re
from collections.abc import Iterator

from mlops.errors import BadInput, Problem, bad_input
from mlops.repository import PROJECT_FILE, Layout

PATH = ".github/CODEOWNERS"
LIMIT = 3_000_000
"""Bytes; GitHub ignores a larger file, and then nobody owns anything."""
OWNER = re.compile(
    r"@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?|[^\s@#]+@[A-Za-z0-9.-]+\.[A-Za-z]+"
)
HEAD = """\
# Written by `mlops init` from the owners in mlops.toml and environments/*/env.yaml.
# Change those and run it again. The last line that fits a file counts.
"""
RELEASED = ("release.yaml", "decision.yaml", "manifests.yaml")


def codeowners(layout: Layout) -> str:
    """The text of CODEOWNERS for a tree.

    Everything belongs to the project's owners, an environment's folder to its own. What a
    release to the first environment writes belongs to nobody: its checks decide alone.

    Raises:
        BadInput: naming every owner that GitHub would not read, or when the file is too large.
    """
    owners = {PROJECT_FILE: layout.project.project.owners}
    for name in layout.order:
        owners[f"environments/{name}/env.yaml"] = layout.environment(name).owners
    problems = [*_without(owners), *_unreadable(owners)]
    if problems:
        raise BadInput(problems)
    text = HEAD + "".join(f"{line}\n" for line in _lines(layout.order, owners))
    if len(text.encode()) > LIMIT:
        raise bad_input(PATH, f"would be larger than {LIMIT} bytes", "name teams, not people")
    return text


def stale(layout: Layout) -> Iterator[Problem]:
    """What is wrong with the CODEOWNERS of a tree; nothing when it is current.

    Raises:
        BadInput: like `codeowners`.
    """
    found = layout.tree.read(PATH)
    if found is None and layout.project.forge.kind == "local":
        return
    if found != codeowners(layout).encode():
        what = "is missing" if found is None else "does not say what mlops.toml and env.yaml say"
        yield Problem(PATH, what, "mlops init, and commit what it wrote")


def _lines(order: tuple[str, ...], owners: dict[str, tuple[str, ...]]) -> Iterator[str]:
    project = " ".join(owners[PROJECT_FILE])
    first = order[0]
    yield f"* {project}"
    yield "/apps/*/evidence/"
    for name in order:
        yield f"/environments/{name}/ {' '.join(owners[f'environments/{name}/env.yaml'])}"
    for file in RELEASED:
        yield f"/environments/{first}/*/{file}"
    for folder in (".github", "scripts", "infra"):
        yield f"/{folder}/ {project}"


def _without(owners: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    for path, names in owners.items():
        if not names:
            yield Problem(path, "names no owners", 'write `owners` as ["@org/team"]')


def _unreadable(owners: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    for path, names in owners.items():
        for name in names:
            if not OWNER.fullmatch(name):
                yield Problem(
                    path,
                    f"owner {name!r} is not one",
                    "write @user, @org/team or an e-mail address",
                )
