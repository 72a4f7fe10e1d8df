"""A complete environment folder, as documentation: `python -m tests.documented` writes it.

It lies in tests/fixtures/valid, with the paths it would have in a team's repository.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlops.environments.manifests import expected, manifests_path
from mlops.files import write_whole
from tests.releases import files_of, make_decision, make_release
from tests.team import ROOT, Team, make_team

SHOWN = ROOT / "tests" / "fixtures" / "valid"
COMMIT = "c0ffee" + "0" * 34
SETTINGS = """# yaml-language-server: $schema=../../../scripts/mlops/specs/schemas/settings.schema.json
service: toy
replicas: {min: 2, max: 4}
resources: {cpu: 250m, memory: 512Mi, memory_limit: 1Gi}
hosts: [toy.example.com]
local_port: 18303
"""


def documented(team: Team) -> Mapping[str, str]:
    """Path to content of all files of release 2 of `toy` in prod, which replaced release 1."""
    before, made = (
        make_release(1, commit=COMMIT, image=True),
        make_release(2, commit=COMMIT, image=True),
    )
    decision = make_decision(
        made, "prod", kind="promotion", came_from="staging", champion=before.release
    )
    env = (team.root / "environments/prod/env.yaml").read_text()
    files = {
        "environments/prod/env.yaml": env,
        "environments/prod/toy/settings.yaml": SETTINGS,
        made.evidence_file: made.evidence_text,
        **files_of(made, "prod", decision),
    }
    return {**files, manifests_path("prod", "toy"): _manifests(team, files)}


def _manifests(team: Team, files: Mapping[str, str]) -> str:
    """Rendered with the base of the clone's commit, shown under the documented one."""
    head = team.git("rev-parse", "HEAD")
    for path, content in files.items():
        team.write(path, content.replace(COMMIT, head))
    text = expected(team.repo, team.repo, "prod", "toy")
    assert text is not None
    return text.replace(head[:12], COMMIT[:12])


def main() -> None:
    """Write the files."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in documented(make_team(Path(folder))).items():
            write_whole(SHOWN / path, content)


if __name__ == "__main__":
    main()
