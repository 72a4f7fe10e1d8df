"""A figure, and the table that is shown and recorded."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it is held against; `goal` is an upper or lower bound."""

    what: str
    value: float
    unit: str
    goal: float
    detail: str
    bound: Literal["at most", "at least"] = "at most"

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.bound == "at most" else self.value >= self.goal

    @property
    def ratio(self) -> str:
        """Value over goal; below 1 is good for an upper bound."""
        return f"{self.value / self.goal:.2f}" if self.goal else "-"


def markdown(figures: Sequence[Figure]) -> str:
    """The table with the machine and the date, as Markdown."""
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}.",
        "",
        "| figure | measured | goal | measured / goal | met | how |",
        "|---|---|---|---|---|---|",
    ]
    for figure in figures:
        measured = f"{figure.value:.2f} {figure.unit}"
        goal = f"{figure.bound} {figure.goal:g} {figure.unit}"
        met = "yes" if figure.met else "**no**"
        lines.append(
            f"| {figure.what} | {measured} | {goal} | {figure.ratio} | {met} | {figure.detail} |"
        )
    return "\n".join(lines) + "\n"


def recorded(record: str, name: str, table: str, order: Sequence[str]) -> str:
    """The record with the table of one benchmark put in, or in the place of its last one.

    Args:
        record: a title and words, then a section for each benchmark that has been recorded.
        name: of the benchmark.
        table: as `markdown` makes it.
        order: of the benchmarks.
    """
    head, *parts = f"\n{record}".split("\n## ")
    found = dict(part.split("\n", 1) for part in parts)
    found[name] = f"\n{table}"
    known = [each for each in order if each in found]
    sections = (f"## {each}\n\n{found[each].strip()}\n" for each in known)
    return "\n".join([f"{head.strip()}\n", *sections])


def machine() -> str:
    """Processor, cores, memory and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    name = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.machine(),
    )
    return (
        f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
