"""mlops release: the image of a release, and training before it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from mlops.commands.release import image_of
from mlops.errors import BadInput, Exit
from tests.derived import add_ingested, learn_from
from tests.team import Team

DIGEST = "sha256:" + "a" * 64
RAW = "data-contracts/toy-points/raw"


def test_an_image_is_named_by_its_digest() -> None:
    found = image_of(f"bikes/api@{DIGEST}")
    assert found is not None
    assert (found.name, found.digest) == ("bikes/api", DIGEST)
    assert image_of(None) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bikes:latest", "'bikes:latest' has no digest, and a tag can name something else"),
        ("bikes@latest", '`digest` is "latest", not a digest'),
        (f"ghcr.io:443/bikes@{DIGEST}", '`name` is "ghcr.io:443/bikes", not the name of an'),
        (f"@{DIGEST}", '`name` is "", not the name of an image alone'),
    ],
)
def test_an_image_that_could_become_another_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        image_of(text)
    assert told in str(caught.value)


@pytest.mark.slow
def test_trained_and_released_with_its_image_in_one_go(team: Team) -> None:
    ingested = team.mlops("data", "ingest", "toy-points", f"{RAW}/2024-01.csv")
    assert ingested.returncode == 0, ingested.stderr
    team.commit("Pin the data")
    done = team.mlops("release", "toy", "--train", "--image", f"toy@{DIGEST}")
    assert done.returncode == 0, done.stderr
    team.git("fetch", "--quiet", "origin")
    pinned = team.repo.commit("origin/release/toy-1").release("dev", "toy")
    assert pinned is not None
    assert pinned.image is not None
    assert (pinned.image.name, pinned.image.digest) == ("toy", DIGEST)
    manifests = team.git("show", "origin/release/toy-1:environments/dev/toy/manifests.yaml")
    assert f"toy@{DIGEST}" in manifests


@pytest.mark.slow
def test_a_bento_is_built_for_an_image_and_its_folder_is_told_to_the_job(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.mlops("data", "ingest", "toy-points", f"{RAW}/2024-01.csv")
    team.commit("Pin the data")
    assert team.mlops("build", "toy", "--github").returncode == 2
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    done = team.mlops("build", "toy", "--train", "--github", "--json")
    assert done.returncode == 0, done.stderr
    place = Path(output.read_text().strip().removeprefix("path="))
    assert place == Path(json.loads(done.stdout)["path"])
    assert (place / "env" / "docker" / "Dockerfile").is_file()


@pytest.mark.slow
def test_a_retrain_opens_the_release_and_again_does_nothing_whatever_another_model_lacks(
    team: Team,
) -> None:
    team.mlops("data", "ingest", "toy-points", f"{RAW}/2024-01.csv")
    team.commit("Pin the data")
    done = team.mlops("retrain", "toy-line")
    assert done.returncode == 0, done.stderr
    assert "release: toy release 1 in dev" in done.stdout
    team.git("fetch", "--quiet", "origin")
    team.git("merge", "--quiet", "--squash", "origin/release/toy-1")
    team.commit("Release toy 1")
    again = team.mlops("retrain", "toy-line")
    assert again.returncode == 0, again.stderr
    assert "nothing was trained" in again.stdout
    assert "nothing to do" in again.stdout

    add_model_without_rows(team)
    both = team.mlops("retrain")
    assert both.returncode == Exit.BAD_INPUT
    assert "data-contracts/toy-other.dvc: pins sha256:00000000" in both.stderr
    assert "nothing to do" in both.stdout, "one does not keep back the others"


def add_model_without_rows(team: Team) -> None:
    """Commit a served model, the first by name, of whose data a version is pinned and in no store."""
    add_ingested(team, "toy-other")
    for path in ("models/toy-line", "apps/toy", "environments/dev/toy"):
        shutil.copytree(team.root / path, team.root / path.replace("toy", "a-toy"))
    for path in ("models/a-toy-line/model.yaml", "apps/a-toy/service.yaml"):
        text = (team.root / path).read_text().replace("toy-line", "a-toy-line")
        team.write(path, text.replace("service: toy", "service: a-toy"))
    (team.root / "models/a-toy-line/features.odcs.yaml").unlink()
    learn_from(team, "toy-other", model="a-toy-line")
    pin = (team.root / "data-contracts/toy-points.dvc").read_text()
    lost = pin.replace("toy-points", "toy-other").partition("  raw:")[0]
    lost = re.sub(r"(sha256|md5): \w{8}", r"\1: 00000000", lost)
    team.write("data-contracts/toy-other.dvc", lost)
    team.commit("Another model, whose rows are nowhere")


@pytest.mark.parametrize("verb", ["release", "retrain"])
def test_a_run_that_main_has_overtaken_leaves_the_release_to_the_newer_one(
    team: Team, verb: str
) -> None:
    older = team.git("rev-parse", "HEAD")
    team.write("README.md", "words\n")
    newer = team.commit("Words")
    team.git("checkout", "--quiet", "--detach", older)
    what = ("toy",) if verb == "release" else ()
    done = team.mlops(verb, *what, "--skip-behind")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"main is at {newer[:12]} by now: nothing was released from {older[:12]}, "
        "the run of the newer commit does it\n"
    )


def test_a_retrain_of_a_model_that_nobody_serves_is_refused(team: Team) -> None:
    team.git("rm", "--quiet", "-r", "environments/dev/toy")
    done = team.mlops("retrain", "toy-line")
    assert done.returncode == 2
    assert done.stderr.startswith("models/toy-line: is served by no service of dev")
