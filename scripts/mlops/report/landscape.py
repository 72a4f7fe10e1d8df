"""What a change does to data, contracts and environments."""

from collections.abc import Mapping, Sequence

from mlops.environments.markdown import code, folded, items, more, table, words
from mlops.report.sections import checks, compared, facts, rendered
from mlops.specs.result import ContractResult, DatasetResult, EnvironmentResult, Result


def datasets(results: Sequence[Result], pages: Mapping[str, str], most: int) -> list[str]:
    """Pinned datasets against their contracts, and each broken rule.

    Args:
        results: of all parts.
        pages: Markdown that leads to a dataset's page, by its name.
        most: rows.
    """
    found = sorted(
        _of_all(results),
        key=lambda one: (not one.broken, one.validation is not None, one.dataset),
    )
    if not found:
        return []
    rows = [(*_dataset(one), pages.get(one.dataset, "-")) for one in found[:most]]
    head = ("dataset", "contract", "rows", "rules kept", "page")
    broken = [f"`{one.dataset}`: {words(rule)}" for one in found for rule in one.broken[:20]]
    broken += [_look(one.dataset) for one in found if one.broken and one.dataset not in pages]
    lines = [*table(head, rows, most=most), *more(len(found) - len(rows))]
    return ["## Data", "", *lines, "", *items(broken[:most], most=most), *more(len(broken) - most)]


def _look(dataset: str) -> str:
    page = code(f"mlops data validate {dataset} --page {dataset}.html")
    return f"`{dataset}`: {page} writes each rule and what each column holds as a page"


def _of_all(results: Sequence[Result]) -> list[DatasetResult]:
    """Those that were validated here, then those of the evidence of a release that comes."""
    here = [one for result in results for one in result.datasets]
    known = {one.dataset for one in here}
    told = [one for result in results if result.environment for one in result.environment.data]
    return here + [
        DatasetResult(dataset=one.dataset, validation=one)
        for one in told
        if one.dataset not in known
    ]


def _dataset(one: DatasetResult) -> tuple[str, str, str, str]:
    name, told = f"`{one.dataset}`", one.validation
    if told is None:
        return name, "-", "-", "**not evaluated**: the data is not here"
    kept = told.kept if not told.failed else f"**{told.kept}**"
    return name, told.contract, f"{told.rows:,}", kept


def contracts(results: Sequence[Result], most: int) -> list[str]:
    """Contracts that say something else, and who reads the data."""
    found = sorted(
        (one for result in results for one in result.contracts),
        key=lambda one: (not _breaks(one), one.dataset),
    )
    if not found:
        return []
    lines = [line for one in found[:most] for line in _contract(one, most)]
    return ["## Contracts", "", *lines, *more(len(found) - most)]


def _breaks(one: ContractResult) -> bool:
    return any(difference.breaking for difference in one.differences)


def _contract(one: ContractResult, most: int) -> list[str]:
    ordered = sorted(one.differences, key=lambda each: not each.breaking)
    shown = [
        f"{'**breaking** ' if each.breaking else ''}{each.kind} {code(each.path)}: "
        f"{words(each.text)}"
        for each in ordered[:most]
    ]
    named = f"`{one.dataset}`" if one.of == "dataset" else f"features of `{one.dataset}`"
    told = f"{named} {_versions(one)}, {_readers(one)}{':' if shown else '.'}"
    return [told, "", *items(shown, most=most), *more(len(ordered) - len(shown)), ""]


def _readers(one: ContractResult) -> str:
    """`read by model a, served by service b`."""
    if not one.models:
        return "read by no model"
    read = f"read by model{'s' * (len(one.models) > 1)} {_first_of(one.models)}"
    if not one.services:
        return read
    return f"{read}, served by service{'s' * (len(one.services) > 1)} {_first_of(one.services)}"


def _first_of(names: Sequence[str]) -> str:
    left_out = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return ", ".join(f"`{name}`" for name in names[:10]) + left_out


def _versions(one: ContractResult) -> str:
    if one.before is None:
        return f"{one.after}, a new contract"
    if one.after is None:
        return f"{one.before}, removed"
    change = f"{one.before} to {one.after}" if one.before != one.after else f"stays {one.after}"
    return change if one.needs == "none" else f"{change} (needs a new {one.needs} version)"


def environments(found: Sequence[EnvironmentResult], most: int) -> list[str]:
    """Each change of environments/: its kind, its facts, the release in words."""
    lines = [line for one in found[:most] for line in _environment(one, most)]
    return [*lines, *more(len(found) - most)] if lines else []


def _environment(one: EnvironmentResult, most: int) -> list[str]:
    kind = code(one.kind) if one.kind else "not one kind"
    where = f" of `{one.service}`" if one.service else ""
    where += f" in `{one.environment}`" if one.environment else ""
    known = [*facts(one.facts, most), ""] if one.facts else []
    told = items([words(text) for text in one.differences[:most]], most=most)
    left_out = more(len(one.differences) - most)
    changes = ["What changes in what serves:", "", *told, *left_out, ""] if told else []
    return [
        f"## Environment: {kind}{where}",
        "",
        *_reason(one),
        *_measured(one, most),
        *known,
        *changes,
    ]


def _reason(one: EnvironmentResult) -> list[str]:
    return [f"Reason given: {code(one.reason, longest=500)}", ""] if one.reason else []


def _measured(one: EnvironmentResult, most: int) -> list[str]:
    """The release that comes against what serves there."""
    now = f"serves now (release {one.replaces})" if one.replaces else "baseline"
    lines = compared(
        one.comparisons, now, f"release {one.release}", most, marked=one.replaces is not None
    )
    stated = "" if one.made_anew else "As `decision.yaml` states it, not made anew here."
    return [*lines, *(["", stated] if stated else []), ""] if lines else []


def rules(results: Sequence[Result], most: int) -> list[str]:
    """The rules a change of environments/ is held to, folded."""
    found = [check for one in results if one.part == "environments" for check in one.checks]
    if not found:
        return []
    met = sum(check.passed for check in found)
    return folded(f"Rules of environments ({met:,} of {len(found):,} met)", checks(found, most))


def rendered_files(found: Sequence[EnvironmentResult], most: int) -> list[str]:
    """The diff of each rendered file, folded; at most so many lines in all."""
    lines: list[str] = []
    files = [file for one in found for file in one.rendered]
    for file in files[:MOST_FILES]:
        count = min(most, file.diff.count("\n") + 1)
        most -= count
        fold = rendered(file.diff, file.path, count, title="Rendered difference", total=file.lines)
        lines += [*([""] if lines else []), *fold]
    return [*lines, *more(len(files) - MOST_FILES)]


MOST_FILES = 20
"""Rendered files that are shown."""
