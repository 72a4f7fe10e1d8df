"""The platform's optional parts: real charts by exact versions, chosen in one place, no secrets."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from mlops.environments.clusters import concerns, expected, stale
from mlops.environments.platform import EXACT, FOLDER
from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.tree import Overlay, WorkTree
from tests.strict_schemas import problems
from tests.team import ROOT, Team

PARTS = sorted(path.parent.name for path in (ROOT / FOLDER).glob("*/application.yaml"))
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / FOLDER).rglob("*.yaml"))
RENDERED = "infra/argocd/platform.yaml"
HOLDS = re.compile(r"password|token|secret|accesskey", re.IGNORECASE)
NAMES = re.compile(r"^existing|^(user|password)Key$")
"""Keys of values that name a Secret or a key in it."""


def layout(*parts: str, **files: str) -> Layout:
    """The project with these parts chosen, Argo CD in `argo`, and some files that differ."""
    text = (ROOT / "mlops.toml").read_text()
    text = text.replace('namespace = "argocd"\n', f'namespace = "argo"\nplatform = {[*parts]}\n')
    over = {path: each.encode() for path, each in {"mlops.toml": text, **files}.items()}
    return Layout(Overlay(WorkTree(ROOT), over))


def rendered(*parts: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(expected(layout(*parts))[RENDERED]))


def application(part: str) -> dict[str, Any]:
    text = (ROOT / FOLDER / part / "application.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each text of a document, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, (*path, str(key)))
    elif isinstance(value, list):
        for each in value:
            yield from texts(each, path)
    elif isinstance(value, str):
        yield path, value


def test_every_folder_of_the_platform_is_a_part() -> None:
    assert sorted(path.name for path in (ROOT / FOLDER).iterdir() if path.is_dir()) == PARTS


@pytest.mark.parametrize("path", FILES)
def test_a_cluster_takes_every_object_of_the_platform_as_it_is(path: str) -> None:
    (document,) = yaml.safe_load_all((ROOT / path).read_text())
    assert problems(document) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_one_chart_by_an_exact_version(part: str) -> None:
    spec = application(part)["spec"]
    assert EXACT.fullmatch(spec["source"]["targetRevision"])
    assert spec["source"]["repoURL"].startswith("https://")
    assert spec["project"] == "platform"


@pytest.mark.parametrize("part", PARTS)
def test_no_part_holds_a_password(part: str) -> None:
    values = application(part)["spec"]["source"].get("helm", {}).get("valuesObject", {})
    keys = {key for path, _ in texts(values) for key in path}
    assert [key for key in keys if HOLDS.search(key) and not NAMES.search(key)] == []
    for file in (ROOT / FOLDER / part).rglob("*.yaml"):
        assert yaml.safe_load(file.read_text())["kind"] != "Secret"


@pytest.mark.parametrize("part", PARTS)
def test_objects_beside_a_chart_are_in_its_namespace(part: str) -> None:
    namespace = application(part)["spec"]["destination"]["namespace"]
    for file in (ROOT / FOLDER / part / "objects").glob("*.yaml"):
        assert yaml.safe_load(file.read_text())["metadata"]["namespace"] == namespace


@pytest.mark.parametrize("parts", [*([part] for part in PARTS), PARTS], ids="-".join)
def test_the_project_allows_exactly_the_repositories_and_namespaces_used(parts: list[str]) -> None:
    project, reader, *objects = rendered(*parts)
    used = [application(part)["spec"] for part in parts]
    git = reader["spec"]["source"]["repoURL"]
    repositories = {each["source"]["repoURL"] for each in used} | ({git} if objects else set())
    assert set(project["spec"]["sourceRepos"]) == repositories
    places = {each["destination"]["namespace"] for each in used}
    assert {each["namespace"] for each in project["spec"]["destinations"]} == places
    assert not any("*" in text for _, text in texts(project["spec"]))
    assert {each["spec"]["project"] for each in objects} <= {"platform"}


def test_a_cluster_takes_every_rendered_object_of_the_platform() -> None:
    for document in rendered(*PARTS):
        assert (document["metadata"]["name"], problems(document)) == (
            document["metadata"]["name"],
            [],
        )
        assert document["metadata"]["namespace"] == "argo"


def test_only_the_chosen_parts_are_read() -> None:
    _, reader, *objects = rendered("mlflow", "postgresql")
    assert reader["spec"]["source"]["directory"] == {
        "recurse": True,
        "include": "{mlflow/application.yaml,postgresql/application.yaml}",
    }
    assert [each["metadata"]["name"] for each in objects] == ["platform-mlflow-objects"]


def test_without_parts_there_is_no_file_and_one_that_is_left_is_removed(team: Team) -> None:
    assert RENDERED not in expected(layout())
    team.write(RENDERED, "kind: AppProject\n")
    assert stale(team.repo, ["dev"])[RENDERED] is None


def test_another_version_of_a_chart_changes_nothing_that_is_rendered() -> None:
    path = f"{FOLDER}/mlflow/application.yaml"
    text = (ROOT / path).read_text()
    version = application("mlflow")["spec"]["source"]["targetRevision"]
    moved = layout("mlflow", **{path: text.replace(version, "99.0.0")})
    assert expected(moved)[RENDERED] == expected(layout("mlflow"))[RENDERED]


@pytest.mark.parametrize("version", ["1.x", "^1.2.3", "1.2", "*", ">=1.2.3", "latest"])
def test_a_range_of_versions_is_refused(version: str) -> None:
    path = f"{FOLDER}/mlflow/application.yaml"
    own = application("mlflow")["spec"]["source"]["targetRevision"]
    text = (ROOT / path).read_text().replace(f": {own}", f": '{version}'")
    with pytest.raises(BadInput) as raised:
        expected(layout("mlflow", **{path: text}))
    assert str(raised.value) == (
        f"{path}: is not one Application platform-mlflow of project platform on "
        "https://kubernetes.default.svc, of a chart by an exact version; "
        "take another part's file as it is, and change what differs"
    )


def test_a_part_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadInput) as raised:
        expected(layout("mlflw"))
    assert str(raised.value) == (
        "mlops.toml: `platform` below [argocd] names mlflw, but infra/platform/mlflw has no "
        f"application.yaml; name one of {', '.join(PARTS)}"
    )


def test_an_environment_may_not_be_called_as_the_project_of_the_platform() -> None:
    text = (ROOT / "mlops.toml").read_text().replace('"prod"]', '"prod", "platform"]')
    env = (ROOT / "environments/prod/env.yaml").read_text().replace("prod", "platform")
    files = {"mlops.toml": text, "environments/platform/env.yaml": env}
    with pytest.raises(BadInput, match="another AppProject of Argo CD"):
        expected(layout(**files))


def test_a_change_of_a_part_concerns_the_clusters() -> None:
    assert concerns(f"{FOLDER}/mlflow/application.yaml")
    assert concerns(f"{FOLDER}/mlflow/objects/database.yaml")
    assert not concerns(f"{FOLDER}/README.md")


def test_renovate_moves_every_chart() -> None:
    settings = json.loads((ROOT / "renovate.json").read_text())
    assert "argocd" in settings["enabledManagers"]
    (pattern,) = settings["argocd"]["managerFilePatterns"]
    for part in PARTS:
        assert re.search(pattern.strip("/"), f"{FOLDER}/{part}/application.yaml")


def test_the_page_names_every_part_and_its_chart() -> None:
    page = (ROOT / "docs/platform.md").read_text()
    for part in PARTS:
        source = application(part)["spec"]["source"]
        assert f"| `{part}` |" in page
        assert re.search(rf"^\| {source['chart']} \| ", page, re.MULTILINE)
