"""What was checked, in one line for each part."""

from collections.abc import Sequence

from mlops.environments.markdown import folded, table, words
from mlops.report.judging import ORDER, Judged
from mlops.specs.result import PARTS, Part, Result


def parts(judged: Judged, most: int) -> list[str]:
    """The parts that were planned, folded: what each found, and how long it took."""
    rows = [row for part in PARTS if (row := _part(part, judged))]
    if not rows:
        return []
    seconds = sum(result.seconds for result in judged.results)
    title = f"What was checked ({len(rows)} parts, {seconds:,.0f} s of computing)"
    return folded(title, table(("part", "verdict", "found", "took"), rows, most=most))


def _part(part: Part, judged: Judged) -> tuple[str, str, str, str] | None:
    results = [result for result in judged.results if result.part == part]
    missing = sum(share.part == part for share in judged.missing)
    shards = len(results) + missing
    if not shards:
        return None
    verdict = f"**no result** ({missing} of {shards})" if missing else _verdict(results)
    worst = min(results, key=lambda each: ORDER.index(each.outcome), default=None)
    found = words(worst.summary, longest=200) if worst else "-"
    found += f" (the worst of {shards} shards)" if shards > 1 else ""
    return part, verdict, found, f"{sum(each.seconds for each in results):,.1f} s"


def _verdict(results: Sequence[Result]) -> str:
    outcome = min((result.outcome for result in results), key=ORDER.index)
    return outcome if outcome == "good" else f"**{outcome}**"
