"""`python -m benchmarks`: measure, show the table, and with --write record it in docs/."""

import argparse
import sys
from pathlib import Path

from benchmarks import (
    applications,
    cluster,
    data_rollback,
    demo,
    killed_runs,
    lineage,
    plan,
    planted_faults,
    pull_request,
    records,
    rollback,
    search,
    selection,
    serving,
    startup,
    validation,
)
from benchmarks.table import markdown, recorded
from mlops.files import write_whole

BENCHMARKS = {
    "startup": startup.measure,
    "plan": plan.measure,
    "pull-request": pull_request.measure,
    "serving": serving.measure,
    "demo": demo.measure,
    "rollback": rollback.measure,
    "data-rollback": data_rollback.measure,
    "lineage": lineage.measure,
    "killed-runs": killed_runs.measure,
    "search": search.measure,
    "records": records.measure,
    "validation": validation.measure,
    "selection": selection.measure,
    "cluster": cluster.measure,
    "applications": applications.measure,
    "planted-faults": planted_faults.measure,
}
RECORD = Path(__file__).parent.parent / "docs" / "figures.md"


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
    met = True
    for name in options.names or BENCHMARKS:
        figures = BENCHMARKS[name](small=options.small)
        met = met and all(figure.met for figure in figures)
        table = markdown(figures)
        sys.stdout.write(f"## {name}\n\n{table}\n")
        sys.stdout.flush()
        if options.write:
            write_whole(RECORD, recorded(RECORD.read_text(), name, table, list(BENCHMARKS)))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
