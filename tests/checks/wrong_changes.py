"""Changes that a pull request has to be told of, each made in a team's clone.

Each returns what its messages name: digests and commits that differ from run to run.
"""

import shutil
import subprocess
from collections.abc import Iterable

from mlops import bento
from mlops.commands.render import render
from mlops.data.ingest import ingest
from mlops.registry import Registry
from mlops.repository import evidence_path
from tests.environments.shelf import INVALID, Shelf, shelf_of
from tests.releases import DATASET, MODEL, files_of, make_decision, make_release
from tests.team import Team
from tests.training.points import registered, start_registry

Values = dict[str, str]
RAW = f"data-contracts/{DATASET}/raw/2024-01.csv"
CONTRACT = f"data-contracts/{DATASET}.odcs.yaml"
SPEC = f"models/{MODEL}/model.yaml"
RELEASE = "environments/{}/toy/release.yaml"


def two_services(team: Team) -> Values:
    """Two services' releases in one change."""
    shelf = shelf_of(team)
    _start(team)
    write_two_releases(team, shelf)
    return _rendered(team)


def write_two_releases(team: Team, shelf: Shelf) -> None:
    """The files of release 1 of toy in dev, and the same ones as another service's."""
    for path, content in files_of(shelf.made(1), "dev").items():
        team.write(path, content)
        if path.startswith("environments/"):
            other = content.replace("service: toy", "service: other")
            team.write(path.replace("/toy/", "/other/"), other)
    team.write("environments/dev/other/settings.yaml", "service: other\nlocal_port: 18999\n")


def release_by_hand(team: Team) -> Values:
    """Another bento written into a release that an environment holds."""
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging")
    _start(team)
    held, other = shelf.made(1).release.bento, "sha256:" + "2" * 64
    _replaced(team, RELEASE.format("staging"), held, other)
    return {**_rendered(team), "held": held[:19]}


def first_release_by_hand(team: Team) -> Values:
    """The same in the first environment."""
    shelf = shelf_of(team)
    shelf.put(1, "dev")
    _start(team)
    held = shelf.made(1).release.bento
    _replaced(team, RELEASE.format("dev"), held, "sha256:" + "2" * 64)
    return {**_rendered(team), "held": held[:19]}


def manifest_by_hand(team: Team) -> Values:
    """A line added to a rendered file."""
    shelf_of(team, image=True).put(1, "dev")
    _start(team)
    path = "environments/dev/toy/manifests.yaml"
    team.write(path, (team.root / path).read_text() + "# by hand\n")
    return _committed(team)


def breaking_contract(team: Team) -> Values:
    """Narrower values under the same version."""
    _pinned(team)
    shutil.copy(INVALID / "check-breaking-contract" / "toy-points.odcs.yaml", team.root / CONTRACT)
    return _committed(team)


def contract_taken_away(team: Team) -> Values:
    """No contract for a dataset that a model learns from."""
    _pinned(team)
    (team.root / CONTRACT).unlink()
    return _committed(team)


def model_without_contract(team: Team) -> Values:
    """A new model that learns from a dataset nobody has described."""
    _pinned(team)
    shutil.copytree(team.root / "models" / MODEL, team.root / "models" / "lost")
    text = (team.root / SPEC).read_text()
    text = text.replace(f"model: {MODEL}", "model: lost")
    team.write("models/lost/model.yaml", text.replace(f"dataset: {DATASET}", "dataset: nowhere"))
    return _committed(team)


def unpinned_action(team: Team) -> Values:
    """A workflow that calls actions by tag, branch and short commit."""
    (team.root / ".github/workflows").mkdir(parents=True)
    shutil.copy(INVALID / "check-unpinned-action" / "pr.yaml", team.root / ".github/workflows")
    return _committed(team)


def never_held_before(team: Team) -> Values:
    """A release in prod that staging never held."""
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging")
    _start(team)
    made = shelf.made(2)
    decision = make_decision(made, "prod", kind="promotion", came_from="staging")
    for path, content in files_of(made, "prod", decision).items():
        team.write(path, content)
    evidence = evidence_path("toy", made.release.evidence.digest)
    return {**_rendered(team), "evidence": evidence}


def champion_folder_gone(team: Team) -> Values:
    """The folder of a model that every environment serves."""
    _served(team)
    shutil.rmtree(team.root / "models" / MODEL)
    return _committed(team)


def champion_version_gone(team: Team) -> Values:
    """A better model, while the version that prod serves was deleted from the registry."""
    _served(team)
    Registry.of(team.repo)._client.delete_registered_model(MODEL)
    return _more_rounds(team)


def champion_gone(team: Team) -> Values:
    """A better model, while prod pins a model and a bento that nobody has or can make again."""
    source = _served(team)
    release = team.repo.release("prod", "toy")
    assert release is not None
    for digest in (release.bento, release.models[0].digest):
        _replaced(team, RELEASE.format("prod"), digest, "sha256:" + "3" * 64)
    team.commit("prod serves what is lost")
    _start(team)
    return {**_more_rounds(team), "source": source[:12]}


def binary_spec(team: Team) -> Values:
    """Bytes where a model's YAML is expected."""
    (team.root / SPEC).write_bytes(bytes(range(256)))
    return _committed(team)


def binary_settings(team: Team) -> Values:
    """Bytes where an environment's YAML is expected."""
    (team.root / "environments/dev/toy/settings.yaml").write_bytes(b"service: toy\0")
    return _committed(team)


def binary_code(team: Team) -> Values:
    """Bytes where Python is expected."""
    _pinned(team)
    (team.root / "models" / MODEL / "features.py").write_bytes(b"\xff\xfe\x00")
    return _committed(team)


def binary_project(team: Team) -> Values:
    """Bytes where mlops.toml is expected: nothing can be planned."""
    (team.root / "mlops.toml").write_bytes(bytes(range(256)))
    return _committed(team)


def binary_elsewhere(team: Team) -> Values:
    """A picture among the files of a chart, where nobody expects text."""
    team.root.joinpath("infra/pictures").mkdir(parents=True)
    (team.root / "infra/pictures/cluster.png").write_bytes(bytes(range(256)))
    return _committed(team)


def without_prod(team: Team) -> Values:
    """A better model in a project that ends at staging."""
    _replaced(team, "mlops.toml", '"staging", "prod"', '"staging"')
    shutil.rmtree(team.root / "environments/prod")
    _pinned(team)
    return _more_rounds(team)


def prod_not_there_yet(team: Team) -> Values:
    """A better model in a project whose prod is named, but has no folder."""
    shutil.rmtree(team.root / "environments/prod")
    _pinned(team)
    return _more_rounds(team)


def prod_taken_away(team: Team) -> Values:
    """The folder of prod, which mlops.toml still names."""
    shelf_of(team).put(1, "dev", "staging", "prod")
    _start(team)
    shutil.rmtree(team.root / "environments/prod")
    return _committed(team)


def prod_given_up(team: Team) -> Values:
    """Folder and name of a prod that serves: allowed, when its owners approve."""
    shelf_of(team).put(1, "dev", "staging", "prod")
    _start(team)
    _replaced(team, "mlops.toml", '"staging", "prod"', '"staging"')
    shutil.rmtree(team.root / "environments/prod")
    return _committed(team)


def huge_and_good(team: Team) -> Values:
    """10,000 files that nothing depends on."""
    return _many(team, ((f"samples/n{n:05d}.txt", str(n)) for n in range(10_000)))


def huge_and_wrong(team: Team) -> Values:
    """10,000 binary files where YAML is expected."""
    return _many(team, ((f"infra/more/n{n:05d}.yaml", "\0") for n in range(10_000)))


def huge_environment(team: Team) -> Values:
    """The settings of 10,000 services in one change."""
    settings = "service: s{0:05d}\nlocal_port: 18999\n"
    folder = "environments/dev/s{0:05d}/settings.yaml"
    return _many(team, ((folder.format(n), settings.format(n)) for n in range(10_000)))


def first_commit(team: Team) -> Values:
    """All files in one commit, the data pinned: nothing was there before."""
    ingest(team.repo, DATASET, [team.root / RAW])
    team.git("add", "--all")
    team.git("commit", "--quiet", "--amend", "--no-edit")
    return {}


def _start(team: Team) -> None:
    """What is on the forge now is the base of what follows."""
    team.git("fetch", "--quiet", "origin")


def _committed(team: Team) -> Values:
    team.commit("A change", push=False)
    return {"head": team.git("rev-parse", "HEAD")[:12]}


def _rendered(team: Team) -> Values:
    render(team.repo, as_json=True)
    return _committed(team)


def _replaced(team: Team, path: str, old: str, new: str) -> None:
    text = (team.root / path).read_text()
    assert old in text
    team.write(path, text.replace(old, new))


def _pinned(team: Team) -> str:
    """January's rows pinned on the forge; the commit."""
    ingest(team.repo, DATASET, [team.root / RAW])
    commit = team.commit("Pin January")
    _start(team)
    return commit


def _more_rounds(team: Team) -> Values:
    _replaced(team, SPEC, "rounds: 40", "rounds: 60")
    return _committed(team)


def _served(team: Team) -> str:
    """A model of the clone that all three environments serve; its source commit."""
    source = _pinned(team)
    start_registry(team)
    model, repo = registered(team), team.repo
    artifact = bento.Artifact(model.digest, Registry.of(repo).fetch(model))
    built = bento.build(repo, repo.commit("HEAD"), "toy", {MODEL: artifact})
    made = make_release(1, bento=built.digest, model=model.digest, commit=source)
    previous = None
    for environment in ("dev", "staging", "prod"):
        kind = "promotion" if previous else "release"
        decision = make_decision(made, environment, kind=kind, came_from=previous)
        for path, content in files_of(made, environment, decision).items():
            team.write(path, content)
        previous = environment
    render(team.repo, as_json=True)
    team.commit("It serves everywhere")
    _start(team)
    return source


def _many(team: Team, files: Iterable[tuple[str, str]]) -> Values:
    """A commit of thousands of small files, in the time of one."""
    head = "commit refs/heads/main\ncommitter A Person <person@example.com> 1 +0000\ndata 0\n"
    told = "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files)
    stdin = f"{head}from {team.git('rev-parse', 'HEAD')}\n{told}".encode()
    subprocess.run(["git", "fast-import", "--quiet"], cwd=team.root, input=stdin, check=True)
    team.git("reset", "--quiet", "--hard")
    return {}
