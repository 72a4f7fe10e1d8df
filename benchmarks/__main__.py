"""`python -m benchmarks`: measure, show the table, and with --write record it in docs/."""

import argparse
import sys
from pathlib import Path

from benchmarks import demo, plan, pull_request, rollback, selection, serving, startup
from benchmarks.table import Figure, markdown

BENCHMARKS = {
    "startup": startup.measure,
    "plan": plan.measure,
    "pull-request": pull_request.measure,
    "serving": serving.measure,
    "demo": demo.measure,
    "rollback": rollback.measure,
    "selection": selection.measure,
}
RECORD = Path(__file__).parent.parent / "docs" / "figures.md"
HEADING = """# Figures

Written by `.venv/bin/python -m benchmarks --write`. Machines differ and are noisy: read the
medians and the ratios.

"""


def main() -> int:
    """Measure what is named (default: everything); exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--small", action="store_true", help="few repetitions")
    parser.add_argument("--write", action="store_true", help="record the table in docs/figures.md")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    figures: list[Figure] = []
    for name in options.names or BENCHMARKS:
        figures += BENCHMARKS[name](small=options.small)
    table = markdown(figures)
    sys.stdout.write(table)
    if options.write:
        RECORD.write_text(HEADING + table)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
