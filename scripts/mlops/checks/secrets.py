"""No secret in a file that is committed: detect-secrets, as it comes with checkov.

What it finds is asked of nobody (`--no-verify`), and its value is not told again.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops.checks import tools
from mlops.errors import NotGood, Problem
from mlops.repository import Repository
from mlops.tree import WorkTree

FOLDER = tools.VENV / "policy"
"""Where `scripts/setup-policy` puts its tools."""
TOOL = FOLDER / "checkov" / "bin" / "detect-secrets-hook"
NAME = "detect-secrets"
LEFT_OUT = {
    "HexHighEntropyString": "commits, digests and hashes in hex are how everything is pinned here",
}
"""Detectors that would tell what is no secret, and why."""
NO_SECRET_LINE = {
    r"\"integrity\": \"sha512-": "what npm's lock pins a package by",
}
"""Lines that are none, and why. For one place write `pragma: allowlist secret` beside it."""
NO_SECRET = {
    r"^[^\n]* [^\n]*$": "a sentence about secrets, in a text or a message",
    "^(secret|wrong|true|false|%s)$": "words, switches and formats that stand where a value would",
}
"""Values that are none, and why; they are whole values, never a part of one."""
OPTIONS = (
    "--no-verify",
    "--json",
    *(part for name in LEFT_OUT for part in ("--disable-plugin", name)),
    *(part for line in NO_SECRET_LINE for part in ("--exclude-lines", line)),
    *(part for value in NO_SECRET for part in ("--exclude-secrets", value)),
)
FIX = (
    "take it out and make a new one, for it is known by now; a service's come by `secrets` of its "
    "settings.yaml. If it is none, write `pragma: allowlist secret` on that line"
)


def found(repo: Repository, files: Sequence[str]) -> list[Problem]:
    """What looks like a secret in files of the clone; the tool has to be there."""
    starts = range(0, len(files), tools.MANY)
    some = (files[start : start + tools.MANY] for start in starts)
    return sorted(problem for each in some for problem in _once(repo, each))


def _once(repo: Repository, files: Sequence[str]) -> Iterator[Problem]:
    done = tools.run(repo, str(TOOL), *OPTIONS, *(f"./{path}" for path in files))
    if done.returncode == 0:
        return
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        yield tools.failed(NAME, done, "run scripts/setup-policy")
        return
    kinds: dict[tuple[str, int], set[str]] = {}
    for path, each in results.items():
        for one in each:
            kinds.setdefault((path, one["line_number"]), set()).add(one["type"])
    for (path, line), said in kinds.items():
        what = f"{NAME}: looks like a secret ({', '.join(sorted(said))})"
        yield Problem(tools.place(repo, path, line), what, FIX)


def main(paths: Sequence[str]) -> int:
    """Print what looks like a secret in these files; 1 when something does. For the hooks."""
    subprocess.run([str(tools.TEMPLATE / "scripts" / "setup-policy"), str(FOLDER)], check=True)
    here = Path.cwd()
    problems = found(Repository(WorkTree(here), here), list(paths))
    if problems:
        sys.stderr.write(f"{NotGood(problems)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
