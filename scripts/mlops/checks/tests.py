"""Part `tests`: the tests that the change needs."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

from mlops.checks import tools
from mlops.checks.context import Context
from mlops.checks.found import count, result
from mlops.checks.selection import select
from mlops.errors import Problem
from mlops.specs.evidence import GateResult
from mlops.specs.result import Result

PASSED, FAILED, NONE_FOUND = 0, 1, 5
FEW = 8
"""Up to so many selected files one process is quicker than two."""
LAST = 12
"""Lines told of a failure."""
FIX = "correct the code or the test; run it alone: scripts/test"


def run(context: Context) -> Result:
    """Run the selected tests, and those of the affected models and services."""
    selection = select(context.repo, context.base, context.changed)
    chosen = _chosen(context, selection.tests)
    if not chosen:
        return result(context, f"no test is there for this change ({selection.reason})")
    with tempfile.TemporaryDirectory(prefix="mlops-tests-") as folder:
        report = Path(folder) / "junit.xml"
        done = tools.run(context.repo, *_command(context, chosen, report))
        cases = list(_cases(report)) if report.is_file() else []
    if done.returncode == NONE_FOUND:
        return result(context, "no test is there to run")
    problems = [problem for case in cases for problem in _problems(case)]
    if done.returncode not in (PASSED, FAILED) or (done.returncode == FAILED and not problems):
        problems.append(tools.failed("pytest", done, "run it by hand: scripts/test"))
    return _result(context, selection.reason, cases, problems)


def _result(
    context: Context, reason: str, cases: list[Xml.Element], problems: list[Problem]
) -> Result:
    skipped = sum(case.find("skipped") is not None for case in cases)
    parts = [count(len(cases) - skipped, "test") + " run"]
    parts += [f"{skipped} skipped"] if skipped else []
    parts += [f"{len(problems)} failed"] if problems else []
    said = ", ".join(parts)
    check = GateResult(gate="pytest", passed=not problems, detail=f"{said} ({reason})")
    return result(context, said, problems, checks=[check])


def _chosen(context: Context, selected: tuple[str, ...]) -> list[str]:
    """What pytest is given: nothing twice, so that a folder's tests do not run twice."""
    repo, affected = context.repo, context.affected
    own = [f"models/{name}/tests" for name in affected.models]
    own += [f"apps/{name}/tests" for name in affected.services]
    every = [test for test in dict.fromkeys([*selected, *own]) if _has_tests(repo.root, test)]
    folders = [test for test in every if (repo.root / test).is_dir()]
    once = [test for test in every if not _within(test, folders)]
    return once if context.share.of == 1 else _dealt(context, once)


def _has_tests(root: Path, test: str) -> bool:
    """False for a folder without a test file: asking pytest takes seconds."""
    path = root / test.partition("::")[0]
    if path.is_dir():
        return next(path.rglob("test_*.py"), None) is not None
    return path.is_file()


def _within(test: str, folders: list[str]) -> bool:
    return any(test.startswith(f"{folder}/") for folder in folders)


def _dealt(context: Context, chosen: list[str]) -> list[str]:
    """This shard's part of the files, the largest first, each shard taking one in turn."""
    root = context.repo.root
    files: list[str] = []
    for test in chosen:
        folder = root / test
        found = sorted(folder.rglob("test_*.py")) if folder.is_dir() else []
        files += [path.relative_to(root).as_posix() for path in found] or [test]
    sizes = {file: _size(root / file.partition("::")[0]) for file in dict.fromkeys(files)}
    ordered = sorted(sizes, key=lambda file: (-sizes[file], file))
    return ordered[context.share.shard - 1 :: context.share.of]


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _command(context: Context, chosen: list[str], report: Path) -> list[str]:
    repo = context.repo
    settings = tools.config(repo, "pyproject.toml")
    command = [tools.locked("python"), "-m", "pytest", "-c", settings, f"--rootdir={repo.root}"]
    command += [f"--junit-xml={report}", "-o", "junit_family=xunit2"]
    if len(chosen) > FEW or any((repo.root / test).is_dir() for test in chosen):
        command += ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "worksteal"]
    return [*command, *(f"./{test}" for test in chosen)]


def _cases(report: Path) -> Iterator[Xml.Element]:
    # The file was written by pytest in a folder of our own a moment ago.
    return Xml.parse(report).iter("testcase")  # noqa: S314 - pytest of this run wrote it


def _problems(case: Xml.Element) -> list[Problem]:
    name = "::".join(filter(None, [case.get("classname", ""), case.get("name", "")]))
    found = [*case.findall("failure"), *case.findall("error")]
    return [
        Problem(name, _last_lines(each.text or each.get("message") or ""), FIX) for each in found
    ]


def _last_lines(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LAST:])
