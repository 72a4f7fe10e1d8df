"""Telling which kind a change is."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.environments.kinds import SERVICE_FILES, Change, tell
from mlops.errors import MlopsError, NotGood
from mlops.repository import Layout
from mlops.tree import Tree
from tests.releases import Made, files_of, make_decision, make_release

Files = Mapping[str, str | None]


class InMemory(Tree):
    """A tree of files that lie nowhere."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return None if text is None else text.encode()

    def names(self, folder: str) -> list[str]:
        below = [path.removeprefix(f"{folder}/") for path in self.files(folder)]
        return sorted({rest.split("/")[0] for rest in below if "/" in rest})

    def files(self, folder: str) -> list[str]:
        return sorted(path for path in self._files if path.startswith(f"{folder}/"))


def environment(name: str, **more: str) -> str:
    keys = {
        "name": name,
        "cluster": "https://k8s.example.com",
        "namespace": "toys",
        "registry": "registry.example.com/toys",
        "owners": '["@example/toys"]',
        **more,
    }
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


SETTINGS = "service: toy\nlocal_port: 18301\n"
PROJECT = '[project]\nname = "toys"\n[environments]\norder = ["dev", "staging", "prod"]\n'
START = {
    "mlops.toml": PROJECT,
    **{f"environments/{name}/env.yaml": environment(name) for name in ("dev", "staging", "prod")},
    **{f"environments/{name}/toy/settings.yaml": SETTINGS for name in ("dev", "staging", "prod")},
}


def told(before: Files, after: Files) -> Change | None:
    """The kind of the change that makes START+before into START+before+after."""
    base = _there({**START, **before})
    head = _there({**base, **after})
    changed = sorted(path for path in {*base, *head} if base.get(path) != head.get(path))
    return tell(Layout(InMemory(base)), Layout(InMemory(head)), changed)


def _there(files: Files) -> dict[str, str]:
    return {path: text for path, text in files.items() if text is not None}


def put(made: Made, environment: str, kind: str = "promotion") -> dict[str, str]:
    kind = "release" if environment == "dev" and kind == "promotion" else kind
    files = dict(files_of(made, environment, make_decision(made, environment, kind=kind)))
    return {**files, f"environments/{environment}/toy/manifests.yaml": "# rendered\n"}


ONE, TWO = make_release(1), make_release(2)
ENV = "environments/prod/env.yaml"


def test_a_change_elsewhere_is_of_no_kind() -> None:
    assert told({}, {"README.md": "words\n", "environments/README.md": "words\n"}) is None


def test_a_new_release_in_the_first_environment_is_a_release() -> None:
    assert told({}, put(ONE, "dev")) == Change("release", "dev", "toy")
    assert told(put(ONE, "dev"), put(TWO, "dev")) == Change("release", "dev", "toy")


def test_the_first_promotion_into_an_environment_with_settings_alone_is_a_promotion() -> None:
    assert told(put(ONE, "dev"), put(ONE, "staging")) == Change("promotion", "staging", "toy")


def test_a_lower_number_is_a_rollback() -> None:
    back = put(ONE, "prod", "rollback")
    assert told(put(TWO, "prod"), back) == Change("rollback", "prod", "toy")


def test_a_plain_revert_that_takes_new_evidence_away_is_a_rollback() -> None:
    before = {**put(ONE, "dev"), **put(TWO, "dev")}
    after = {**put(ONE, "dev"), TWO.evidence_file: None}
    assert told(before, after) == Change("rollback", "dev", "toy")


def test_evidence_that_another_environment_needs_is_not_taken_away() -> None:
    before = {**put(ONE, "dev"), **put(TWO, "dev"), **put(TWO, "staging")}
    after = {**put(ONE, "dev"), TWO.evidence_file: None}
    with pytest.raises(NotGood) as refused:
        told(before, after)
    assert str(refused.value) == (
        f"{TWO.evidence_file}: is removed but environments/staging/toy/release.yaml names it; "
        "keep it: `mlops rollback toy --env dev`"
    )


def test_forward_to_what_was_rolled_back_is_what_its_decision_says() -> None:
    forward = put(TWO, "prod", "rollback")
    assert told(put(ONE, "prod"), forward) == Change("rollback", "prod", "toy")
    assert told(put(ONE, "prod"), put(TWO, "prod")) == Change("promotion", "prod", "toy")


def test_settings_of_a_service_are_settings() -> None:
    after = {"environments/prod/toy/settings.yaml": SETTINGS + "replicas: {min: 2, max: 3}\n"}
    assert told({}, after) == Change("settings", "prod", "toy")


def test_a_new_settings_file_creates_and_its_removal_removes() -> None:
    path = "environments/prod/other/settings.yaml"
    text = SETTINGS.replace("toy", "other")
    assert told({}, {path: text}) == Change("create", "prod", "other")
    assert told({path: text}, {path: None}) == Change("remove", "prod", "other")


def test_a_revert_of_the_first_promotion_removes() -> None:
    after = {path: None for path in put(ONE, "prod") if path.startswith("environments/prod")}
    assert told(put(ONE, "prod"), after) == Change("remove", "prod", "toy")


def test_a_raised_floor_is_of_the_base_and_other_keys_are_of_the_environment() -> None:
    floor = environment("prod", base_floor=f"'{'a' * 40}'")
    assert told({}, {ENV: floor}) == Change("base", "prod")
    assert told({}, {ENV: environment("prod", soak="P1D")}) == Change("environment", "prod")


def test_a_base_change_brings_the_manifests_of_every_service() -> None:
    rendered = {f"environments/prod/{name}/manifests.yaml": "# new\n" for name in ("toy", "other")}
    floor = environment("prod", base_floor=f"'{'a' * 40}'")
    assert told({}, {ENV: floor, **rendered}) == Change("base", "prod")
    assert told({}, rendered) == Change("base", "prod")


def test_a_new_environment_comes_with_its_name_in_the_order() -> None:
    after = {
        "mlops.toml": PROJECT.replace('"prod"', '"prod", "edge"'),
        "environments/edge/env.yaml": environment("edge"),
    }
    assert told({}, after) == Change("environment", "edge")


def test_an_experiment_is_an_experiment() -> None:
    after = {"environments/prod/toy/experiment.yaml": "service: toy\n"}
    assert told(put(ONE, "prod"), after) == Change("experiment", "prod", "toy")


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (
            {},
            {ENV: environment("prod", soak="P1D", base_floor=f"'{'a' * 40}'")},
            [
                (
                    f"{ENV}: `base_floor` changes together with other keys; "
                    "raise the floor in a pull request of its own"
                )
            ],
        ),
        (
            put(ONE, "dev"),
            {"environments/dev/toy/decision.yaml": "kind: release\n"},
            [
                (
                    "environments/dev/toy/decision.yaml: changes without the release it explains; "
                    "leave it as it is, it is written with release.yaml"
                )
            ],
        ),
        (
            {},
            {"environments/dev/toy/notes.txt": "x"},
            [
                (
                    "environments/dev/toy/notes.txt: is not a file of an environment; an environment "
                    f"holds env.yaml, and for each service {', '.join(SERVICE_FILES)}"
                )
            ],
        ),
        (
            {},
            {ENV: environment("prod", soak="P1D"), **put(ONE, "dev")},
            [
                (
                    "environments: the change touches 2 environments (dev, prod); "
                    "make one pull request for each"
                )
            ],
        ),
        (
            put(ONE, "dev"),
            {**put(ONE, "staging"), "models/toy-line/train.py": "x", "README.md": "x"},
            [
                f"{path}: changes together with environments/staging (promotion); "
                "make a pull request of its own for it"
                for path in ("README.md", "models/toy-line/train.py")
            ],
        ),
        (
            put(ONE, "dev"),
            {
                **put(ONE, "staging"),
                "environments/staging/toy/settings.yaml": SETTINGS + "hosts: [a.example.com]\n",
            },
            [
                (
                    "environments/staging/toy/settings.yaml: is not part of a promotion; "
                    "make a pull request of its own for it"
                )
            ],
        ),
        (
            {},
            {**put(ONE, "dev"), "environments/dev/other/manifests.yaml": "# new\n"},
            [
                (
                    "environments/dev/other/manifests.yaml: changes with files of toy, from which it "
                    "does not follow; take it out of this change, `mlops render` writes what follows"
                )
            ],
        ),
        (
            {},
            {**put(ONE, "dev"), TWO.evidence_file: TWO.evidence_text},
            [
                (
                    "apps/toy/evidence: 2 evidence files are new; a release brings one, take the "
                    "others out"
                )
            ],
        ),
    ],
)
def test_what_is_not_one_kind_is_refused_with_every_reason(
    before: Files, after: Files, reasons: list[str]
) -> None:
    with pytest.raises(NotGood) as refused:
        told(before, after)
    assert str(refused.value).splitlines() == reasons


PATHS = st.sampled_from(
    [
        ENV,
        *(f"environments/{name}/toy/{file}" for name in ("dev", "prod") for file in SERVICE_FILES),
        "environments/prod/other/settings.yaml",
        "mlops.toml",
        "README.md",
        ONE.evidence_file,
    ]
)
KNOWN = {**put(ONE, "dev"), **put(ONE, "prod")}


@given(st.sets(PATHS, min_size=1), st.booleans())
def test_any_set_of_files_is_one_kind_or_refused_with_reasons(
    paths: set[str], removed: bool
) -> None:
    after = {
        path: None if removed else KNOWN.get(path, START.get(path, "# x\n")) + "\n"
        for path in paths
        if path != "mlops.toml"
    }
    refused: tuple[object, ...] = ()
    change = None
    try:
        change = told(KNOWN if removed else {}, after)
    except MlopsError as error:
        refused = error.problems
    there = {**START, **(KNOWN if removed else {})}
    touched = [
        path
        for path, text in after.items()
        if path.startswith("environments/") and there.get(path) != text
    ]
    if change is None:
        assert refused or not touched
    else:
        assert all(path.startswith(f"environments/{change.environment}/") for path in touched)
