"""The template itself as a team's clone: the bike rentals, with stores and a forge beside it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.team import ROOT, Team, free_port


@pytest.fixture
def bikes(tmp_path: Path) -> Team:
    """All files of the template that Git has or would have, in a clone of their own."""
    team = Team(tmp_path / "team", tmp_path / "forge.git", tmp_path / "stores")
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (team.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, team.root / name)
    toml = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", toml.replace('root = ".mlops"', 'root = "../stores"'))
    for environment in ("dev", "staging", "prod"):
        settings = f"environments/{environment}/bike-demand/settings.yaml"
        text = (team.root / settings).read_text().splitlines()
        ports = (
            line if "local_port" not in line else f"local_port: {free_port()}" for line in text
        )
        team.write(settings, "\n".join(ports) + "\n")
    team.begin()
    return team
