"""Files that are wrong are refused with the cause and the way out, every problem at once."""

from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.specs.base import Spec, parse, to_yaml
from mlops.specs.environment import Environment
from mlops.specs.settings import Settings
from tests.team import Team

INVALID = Path(__file__).parent.parent / "fixtures" / "invalid"
CASES = sorted(path.name for path in INVALID.glob("spec-*"))
KINDS: dict[str, type[Spec]] = {"settings.yaml": Settings, "env.yaml": Environment}


@pytest.mark.parametrize("reason", CASES)
def test_a_wrong_file_is_refused_with_every_problem(reason: str) -> None:
    file = next(path for path in (INVALID / reason).iterdir() if path.name != "message.txt")
    with pytest.raises(BadInput) as refused:
        parse(file.read_bytes(), file.name, KINDS[file.name])
    assert f"{refused.value}\n" == (INVALID / reason / "message.txt").read_text()


def test_a_missing_file_is_named_with_what_it_is_for(team: Team) -> None:
    (team.root / "environments/dev/toy/settings.yaml").unlink()
    with pytest.raises(BadInput) as refused:
        team.repo.settings("dev", "toy")
    assert str(refused.value) == (
        "environments/dev/toy/settings.yaml: file is missing; "
        "add it (What belongs to this environment only (replicas, resources, hosts))"
    )


def test_a_spec_in_the_wrong_folder_is_refused(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", "service: other\nlocal_port: 8000\n")
    with pytest.raises(BadInput, match="`service` is 'other' in the folder of 'toy'"):
        team.repo.settings("dev", "toy")


def test_writing_and_reading_give_the_same_and_the_same_text() -> None:
    settings = Settings(service="toy", local_port=8000, hosts=("a.example.com",))
    text = to_yaml(settings, schema="settings.schema.json")
    again = parse(text.encode(), "settings.yaml", Settings)
    assert again == settings
    assert to_yaml(again, schema="settings.schema.json") == text


def test_an_unknown_environment_is_refused_with_those_known(team: Team) -> None:
    with pytest.raises(BadInput) as refused:
        team.repo.environment("production")
    assert str(refused.value) == (
        "environments/production: is not an environment of this project; "
        "name one of dev, staging, prod, or add it to mlops.toml"
    )


def test_outside_a_clone_the_message_says_where_to_run(tmp_path: Path) -> None:
    from mlops.repository import Repository

    with pytest.raises(BadInput, match=r"no mlops.toml here or above; run this in a clone"):
        Repository.at(tmp_path)
