"""Part `code`: ruff and mypy on what changed."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

from mlops.checks import tools
from mlops.checks.context import Context
from mlops.checks.found import count, result
from mlops.checks.shares import typed
from mlops.environments.parsing import FILES_ARE_TEXT
from mlops.errors import Problem
from mlops.files import not_text
from mlops.repository import Repository
from mlops.specs.evidence import GateResult
from mlops.specs.result import Result

SETTINGS = "pyproject.toml"
WHOLE = ("scripts/", "tests/", "benchmarks/")
"""Folders that are typed together, as `files` of mypy's settings has them."""
TYPE_ERROR = r"(?P<path>[^:]+):(?P<line>\d+): error: (?P<what>.*)"


def run(context: Context) -> Result:
    """Lint, format and types of the changed Python files."""
    repo = context.repo
    there = tools.present(repo, context.changed, ".py")
    binary = [bad for p in there if (bad := not_text((repo.root / p).read_bytes(), p))]
    files = [path for path in there if path not in {problem.path for problem in binary}]
    everything = SETTINGS in context.changed
    paths = ["."] if everything else tools.named(files)
    paths = paths if context.share.shard == 1 else []  # they are quick, the others type
    found = {
        FILES_ARE_TEXT: binary,
        "ruff check": _lint(repo, paths),
        "ruff format": _format(repo, paths),
        "mypy": _types(context, {problem.path for problem in binary}, everything=everything),
    }
    checks = [_check(tool, problems) for tool, problems in found.items()]
    problems = [each for some in found.values() for each in some]
    looked = "all Python files" if everything else count(len(files), "Python file")
    wrong = f": {count(len(problems), 'problem')}" if problems else ""
    return result(context, f"lint, format and types of {looked}{wrong}", problems, checks=checks)


def _check(tool: str, problems: list[Problem]) -> GateResult:
    detail = count(len(problems), "problem") if problems else "nothing to say"
    return GateResult(gate=tool, passed=not problems, detail=detail)


def _lint(repo: Repository, paths: list[str]) -> list[Problem]:
    if not paths:
        return []
    options = ("--force-exclude", "--output-format", "json", "--config", _settings(repo))
    done = tools.run(repo, tools.locked("ruff"), "check", *options, "--", *paths)
    if done.returncode not in (0, 1):
        return [tools.failed("ruff check", done, "correct its settings in pyproject.toml")]
    return [
        Problem(
            tools.place(repo, each["filename"], each["location"]["row"]),
            f"ruff: {each['code']} {each['message']}",
            "correct it (`ruff check --fix` does what is safe)",
        )
        for each in json.loads(done.stdout)
    ]


def _format(repo: Repository, paths: list[str]) -> list[Problem]:
    if not paths:
        return []
    options = ("--check", "--force-exclude", "--config", _settings(repo))
    concise = ("--output-format", "concise")
    done = tools.run(repo, tools.locked("ruff"), "format", *options, *concise, "--", *paths)
    # A syntax error is told by `ruff check`, with its line.
    unformatted = r"(?P<path>.+?):(?P<line>\d+):\d+: unformatted: (?P<what>.*)"
    return tools.lines(repo, done.stdout, unformatted, "ruff", "run `ruff format` on it")


def _settings(repo: Repository) -> str:
    return tools.config(repo, SETTINGS)


def _types(context: Context, binary: set[str], *, everything: bool) -> list[Problem]:
    """The tool as a whole when any of it changed; models and services a folder at a time.

    Their folders have dashes in their names, and modules of the same names. Nothing is said of a
    folder with a binary file, which mypy cannot read either.
    """
    repo, share = context.repo, context.share
    whole = everything or any(p.startswith(WHOLE) and p.endswith(".py") for p in context.changed)
    problems = _mypy(repo) if whole and share.shard == 1 else []
    spoilt = {"/".join(path.split("/")[:2]) for path in binary}
    own = typed(repo, context.changed)[share.shard - 1 :: share.of]
    folders = [each for each in own if each not in spoilt and _has_code(repo, each)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = pool.map(lambda folder: _mypy(repo, "--exclude", "/tests/", f"./{folder}"), folders)
        return [*problems, *(problem for each in said for problem in each)]


def _has_code(repo: Repository, folder: str) -> bool:
    tests = f"{folder}/tests/"
    files = repo.tree.files(folder)
    return any(path.endswith(".py") and not path.startswith(tests) for path in files)


def _mypy(repo: Repository, *arguments: str) -> list[Problem]:
    options = ("--config-file", _settings(repo), "--no-error-summary", "--no-color-output")
    search = {"MYPYPATH": str(tools.TEMPLATE / "scripts")}
    done = tools.run(repo, tools.locked("mypy"), *options, *arguments, env=search)
    if done.returncode == 0:
        return []
    found = tools.lines(repo, done.stdout, TYPE_ERROR, "mypy", "correct the types")
    return found or [tools.failed("mypy", done, "run it by hand: scripts/lint")]
