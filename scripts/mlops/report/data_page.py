"""What a validation found, as one page: the verdict, each rule, each column."""

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mlops.report.page import document

if TYPE_CHECKING:
    from mlops.data.contract import Contract
    from mlops.data.expectations import Outcome
    from mlops.data.profiles import Profile
    from mlops.data.rule import Rule
    from mlops.data.validation import Report

STYLE = """
.good { color: #1a7f37 } .broken { color: #cf222e } .warning { color: #9a6700 }
.verdict { border-left: 6px solid; padding: .6rem 1rem; background: #f6f8fa; font-size: 1.1rem }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }

.share { width: 90px } .share rect.all { fill: #d1d9e0 } .share rect.part { fill: #cf222e }
.box { width: 190px } .box line { stroke: #59636e } .box rect { fill: #b6d4fe; stroke: #59636e }
.top { width: 190px } .top rect { fill: #b6d4fe } .top text { font-size: 10px }
small { color: #59636e }
"""
ENGINES = {
    "duckdb": "DuckDB",
    "great-expectations": "Great Expectations",
    "server": "the server",
    "ingest": "the ingest",
}
WIDE = 190


def data_page(report: "Report", profiles: Mapping[str, "Profile"], *, made: datetime) -> str:
    """Self-contained HTML.

    Args:
        report: what was found.
        profiles: of the columns, by name.
        made: when, for the reader.
    """
    contract = report.contract
    body = [
        f"<h1>{_text(contract.dataset)}</h1>",
        _verdict(report),
        _facts(report, made),
        "<h2>Rules</h2>",
        _rules(report),
        "<h2>Columns</h2>",
        _columns(contract, profiles),
    ]
    return document(f"{contract.dataset}: validation", "".join(body), STYLE)


def _verdict(report: "Report") -> str:
    count = len(report.outcomes) + len(report.unchecked)
    if not report.passed:
        said = f"{len(report.failed)} of {count} rules are broken"
        said += f", {len(report.unchecked)} could not be checked" if report.unchecked else ""
        return f'<p class="verdict broken">Not good: {said}.</p>'
    if report.warned:
        said = f"no rule that stops the data is broken, {len(report.warned)} that only warn are"
        return f'<p class="verdict warning">Good: {said}.</p>'
    return f'<p class="verdict good">Good: all {count} rules hold.</p>'


def _facts(report: "Report", made: datetime) -> str:
    contract = report.contract
    engines = ", ".join(f"{ENGINES[name]} {count}" for name, count in report.engines.items())
    members = (contract.model_extra or {}).get("team") or {}
    listed = members.get("members", ()) if isinstance(members, dict) else members
    owners = ", ".join(str(one.get("username", "")) for one in listed if one.get("role") == "owner")
    facts = {
        "checked": report.subject,
        "rows": f"{report.rows:,}",
        "contract": f"{contract.path}, version {contract.version}",
        "owner": owners or "not named",
        "rules checked by": engines,
        "made": f"{made:%Y-%m-%d %H:%M} UTC",
    }
    return _table((), ([_text(name), _text(value)] for name, value in facts.items()))


def _rules(report: "Report") -> str:
    """Broken ones and those that were not checked; the others folded."""
    broken = sorted((one for one in report.outcomes if not one.passed), key=_gravity)
    good = [_rule(one) for one in report.outcomes if one.passed]
    shown = [*map(_rule, broken), *map(_unchecked, report.unchecked)]
    head = ("", "kind", "rule", "severity", "failing", "share", "worst rows, or what was found")
    table = _table(head, shown, numbers=(4,)) if shown else ""
    folded = _table(head, good, numbers=(4,))
    return f"{table}<details><summary>{len(good)} rules that hold</summary>{folded}</details>"


def _gravity(outcome: "Outcome") -> tuple[bool, float]:
    """Those that stop the data first; then those that most rows break."""
    return not outcome.rule.stops, -outcome.failing / max(outcome.checked, 1)


def _unchecked(rule: "Rule") -> list[str]:
    why = "not checked: a column is missing"
    return [_mark("broken", "-"), rule.kind, _code(rule.text), rule.severity, "", "", why]


def _rule(outcome: "Outcome") -> list[str]:
    rule = outcome.rule
    broken = "broken" if rule.stops else "warning"
    mark = "good" if outcome.passed else broken
    told = "; ".join(map(str, outcome.examples)) or outcome.observed
    of_rows = outcome.failing if rule.of_rows else 0
    failing = f"{outcome.failing:,}" if outcome.failing else ""
    return [
        _mark(mark, mark),
        _text(rule.kind),
        _code(rule.text),
        _text(rule.severity),
        failing,
        _share(of_rows, outcome.checked),
        _text(told),
    ]


def _columns(contract: "Contract", profiles: Mapping[str, "Profile"]) -> str:
    rows = []
    for column in contract.columns:
        profile = profiles.get(column.name)
        described = (column.model_extra or {}).get("description") or ""
        unit = f" ({column.unit})" if column.unit else ""
        named = f"<code>{_text(column.name)}</code><br><small>{_text(described)}</small>"
        kind = _text(f"{column.logical_type}{unit}")
        rows.append([named, kind, *(_profile(profile) if profile else ["no column"] + [""] * 4)])
    head = ("column", "type", "missing", "unreadable", "distinct", "spread", "values")
    estimated = any(profile.estimated for profile in profiles.values())
    note = "<p><small>distinct values and quarters are estimates</small></p>" if estimated else ""
    return _table(head, rows, numbers=(2, 3, 4)) + note


def _profile(profile: "Profile") -> list[str]:
    picture = _box(profile.quantiles) if profile.quantiles else _top(profile.top, profile.rows)
    counts = (profile.missing, profile.unreadable, profile.distinct)
    return [*(f"{count:,}" if count else "" for count in counts), picture, _text(profile.values)]


def _box(quantiles: Sequence[str]) -> str:
    """A box from the first to the third quarter, a line from the least to the largest value."""
    try:
        places = [_place(value) for value in quantiles]
    except ValueError:
        return ""
    low, high = places[0], places[-1]
    if not low < high:
        return ""
    x = [1 + (WIDE - 2) * (place - low) / (high - low) for place in places]
    return (
        f'<svg class="box" viewBox="0 0 {WIDE} 16" role="img" aria-label="quartiles">'
        f'<line x1="{x[0]:.1f}" x2="{x[4]:.1f}" y1="8" y2="8"/>'
        f'<rect x="{x[1]:.1f}" y="3" width="{max(x[3] - x[1], 1):.1f}" height="10"/>'
        f'<line x1="{x[2]:.1f}" x2="{x[2]:.1f}" y1="2" y2="14" stroke-width="2"/></svg>'
    )


def _place(value: str) -> float:
    """A number or a moment, as a place on a line."""
    try:
        return float(value)
    except ValueError:
        return datetime.fromisoformat(value).timestamp()


def _top(top: Sequence[tuple[str, int]], rows: int) -> str:
    if not top or not rows:
        return ""
    bars = "".join(
        f'<rect x="0" y="{14 * number}" width="{max(WIDE * count / rows, 1):.1f}" height="12"/>'
        f'<text x="3" y="{14 * number + 10}">{_text(value[:24])} {100 * count / rows:.1f} %</text>'
        for number, (value, count) in enumerate(top)
    )
    high = 14 * len(top)
    return (
        f'<svg class="top" viewBox="0 0 {WIDE} {high}" role="img" aria-label="most frequent">'
        f"{bars}</svg>"
    )


def _share(failing: int, of: int) -> str:
    if not failing or not of:
        return ""
    part = max(90 * failing / of, 1)
    return (
        f'<svg class="share" viewBox="0 0 90 10" role="img" aria-label="{failing / of:.2%}">'
        '<rect class="all" width="90" height="10"/>'
        f'<rect class="part" width="{part:.1f}" height="10"/></svg>'
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table; cells are HTML already."""

    def cells(tag: str, row: Sequence[str]) -> str:
        told = (
            f'<{tag} class="number">{cell}</{tag}>' if at in numbers else f"<{tag}>{cell}</{tag}>"
            for at, cell in enumerate(row)
        )
        return f"<tr>{''.join(told)}</tr>"

    heading = f"<thead>{cells('th', head)}</thead>" if head else ""
    return f"<table>{heading}<tbody>{''.join(cells('td', row) for row in rows)}</tbody></table>"


def _mark(kind: str, said: str) -> str:
    return f'<b class="{kind}">{_text(said)}</b>'


def _code(text: str) -> str:
    """Text with code between backticks."""
    pieces = text.split("`")
    return "".join(
        f"<code>{_text(piece)}</code>" if at % 2 else _text(piece)
        for at, piece in enumerate(pieces)
    )


def _text(text: str) -> str:
    return html.escape(str(text))
