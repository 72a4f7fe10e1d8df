"""Rules of our own about workflows and actions: what they call is pinned, no right is a default."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from mlops.errors import Problem

COMMIT = re.compile(r"[^@\s]+@[0-9a-f]{40}")
IMAGE = re.compile(r"docker://[^@\s]+@sha256:[0-9a-f]{64}")
VERSION = re.compile(r"#\s*v?\d+(\.\d+)*\S*")


def unpinned(path: str, text: str) -> list[Problem]:
    """Each `uses:` of other people's code that is not a full commit with its version beside it.

    Args:
        path: the file, for the problems.
        text: its content; what is not YAML has no rule here, yamllint tells it.
    """
    lines = text.splitlines()
    found = []
    for node in _uses(_root(text)):
        line = node.start_mark.line
        problem = _of(path, line + 1, str(node.value), lines[line][node.end_mark.column :])
        found += [problem] if problem else []
    return found


def _of(path: str, line: int, called: str, rest: str) -> Problem | None:
    where = f"{path}:{line}"
    if called.startswith("./") or IMAGE.fullmatch(called):
        return None
    if called.startswith("docker://"):
        what = f"`uses: {called}` is not pinned to a digest: a tag can name another image tomorrow"
        return Problem(where, what, "write the image as `docker://NAME@sha256:DIGEST`")
    if not COMMIT.fullmatch(called):
        what = f"`uses: {called}` is not pinned to a commit: a tag or branch can be moved"
        name = called.partition("@")[0]
        fix = f"write `uses: {name}@` with the 40 hex digits of the commit, and ` # v1.2.3` behind"
        return Problem(where, what, fix)
    if not VERSION.match(rest.strip()):
        what = f"`uses: {called}` does not say which version that commit is"
        return Problem(where, what, "write the version behind it: ` # v1.2.3`")
    return None


def unlimited(path: str, text: str) -> list[Problem]:
    """Whether a workflow takes all permissions away first, so that each job names its own."""
    root = _root(text)
    if not isinstance(root, yaml.MappingNode):
        return []
    for key, value in root.value:
        if key.value == "permissions":
            if isinstance(value, yaml.MappingNode) and not value.value:
                return []
            where = f"{path}:{key.start_mark.line + 1}"
            what = "`permissions` at the top gives something to every job"
            return [Problem(where, what, "write `permissions: {}` there and name them in the job")]
    what = "`permissions: {}` is missing at the top: each job gets the repository's default"
    return [Problem(f"{path}:1", what, "add it, and give each job the permissions it needs")]


def _root(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None


def _uses(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The values of all `uses` keys, however the YAML is written."""
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _uses(each)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "uses" and isinstance(value, yaml.ScalarNode):
                yield value
            else:
                yield from _uses(value)


def main(paths: Sequence[str]) -> int:
    """Print what is wrong with workflows and actions; 1 when something is. For the hooks."""
    found = []
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        found += unpinned(path, text)
        if not path.endswith(("/action.yaml", "/action.yml")):
            found += unlimited(path, text)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
