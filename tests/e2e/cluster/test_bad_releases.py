"""A release that does not work takes nobody with it: the one before goes on serving."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster.fleet import SERVICE, Fleet

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

PATIENCE = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - target: {kind: Deployment}
    patch: |
      - {op: replace, path: /spec/progressDeadlineSeconds, value: 30}
"""
"""Short enough for a test to wait until Kubernetes gives up."""


@pytest.fixture
def undone(fleet: Fleet) -> Iterator[Fleet]:
    """All that a test merges is reverted after it."""
    with fleet.undone():
        yield fleet


def test_a_release_whose_image_does_not_exist_leaves_the_one_before(undone: Fleet) -> None:
    fleet, before = undone, undone.held("prod")
    load = fleet.load("prod")
    bad = fleet.next_release(f"sha256:{'0' * 64}")
    fleet.promote(bad, "prod")
    line = fleet.told(f"the image of release {bad} does not exist")
    assert f"release {before} goes on serving" in line
    assert f"mlops rollback {SERVICE} --env prod" in line
    fleet.revert()
    fleet.wait("prod", before)
    tally = load.end()
    assert (tally["lost"], list(tally["releases"])) == (0, [str(before)]), tally["reasons"]


def test_a_release_that_never_gets_ready_leaves_the_one_before(
    undone: Fleet, tmp_path: Path
) -> None:
    fleet, before = undone, undone.held("prod")
    file = fleet.root / f"apps/{SERVICE}/kustomize/kustomization.yaml"
    file.parent.mkdir()
    file.write_text(PATIENCE)
    fleet.push("Give up sooner")
    bad = fleet.next_release(sleeper(fleet, tmp_path))
    load = fleet.load("prod")
    fleet.promote(bad, "prod")
    line = fleet.told(f"release {bad}: its pod never got ready")
    assert f"release {before} goes on serving" in line
    fleet.revert()
    fleet.wait("prod", before)
    tally = load.end()
    assert (tally["lost"], list(tally["releases"])) == (0, [str(before)]), tally["reasons"]


def sleeper(fleet: Fleet, folder: Path) -> str:
    """Digest of an image that starts and never serves."""
    registry = fleet.place.registry
    recipe = folder / "Dockerfile"
    good = f"{registry}/{SERVICE}@{fleet.images[1]}"
    waits = "import signal as s; s.signal(s.SIGTERM, lambda *_: exit()); s.pause()"
    recipe.write_text(f'FROM {good}\nENTRYPOINT ["python3", "-c", "{waits}"]\n')
    name, told = f"{registry}/{SERVICE}:sleeps", folder / "digest"
    plain = "--tls-verify=false"
    for words in (
        ("build", "--quiet", plain, "--tag", name, str(folder)),
        ("push", "--quiet", plain, "--digestfile", str(told), name),
    ):
        subprocess.run(["podman", *words], check=True, capture_output=True)
    return told.read_text().strip()
