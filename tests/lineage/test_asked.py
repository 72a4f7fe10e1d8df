"""What people ask for, from files alone: names, files, digests, places and moments."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlops import digests
from mlops.cli import run
from mlops.errors import Exit
from mlops.lineage import told
from mlops.lineage.graph import Derivation, Graph, Node
from mlops.lineage.kept import Kept
from mlops.lineage.step import recording
from mlops.lineage.told import Thing
from mlops.report.pictures import looked_at
from mlops.specs.result import Plot
from tests.lineage.story import BENTO, MODEL, ROWS, told_story
from tests.releases import fake_digest, files_of, release_of
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(team.root)
    told_story(team)
    return team


@pytest.fixture
def ask(here: Team, capsys: pytest.CaptureFixture[str]) -> "Ask":
    return Ask(capsys)


class Ask:
    """The command, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str) -> str:
        self.capsys.readouterr()
        assert run(["data", "lineage", *words]) == Exit.DONE, self.capsys.readouterr().err
        return self.capsys.readouterr().out

    def refused(self, *words: str) -> str:
        self.capsys.readouterr()
        assert run(["data", "lineage", *words]) == Exit.BAD_INPUT
        return self.capsys.readouterr().err

    def thing(self, *words: str) -> tuple[str, str]:
        found = json.loads(self(*words, "--json"))["thing"]
        return found["kind"], found["version"]


def steps(text: str) -> list[str]:
    return [line.split("─ ")[1].split(",")[0] for line in text.splitlines() if " UTC" in line]


def test_upstream_goes_back_to_the_raw_file(ask: Ask) -> None:
    shown = ask("predicted.parquet", "--up")
    assert steps(shown) == ["score.toy-line", "data.ingest.toy-points", "train.toy-line"]
    assert "raw raw.csv" in shown
    assert shown.count("dataset toy-points") == 2
    assert "(above)" in shown
    assert "its bytes" not in shown.splitlines()[0]


def test_downstream_goes_on_to_release_and_predictions(ask: Ask) -> None:
    shown = ask("raw.csv", "--down")
    assert set(steps(shown)) == {
        *("data.ingest.toy-points", "data.validate.toy-points", "train.toy-line"),
        *("score.toy-line", "build.toy", "release.toy"),
    }
    assert "release toy@1" in shown
    assert "predictions toy-line" in shown


def test_a_thing_is_named_in_many_ways(ask: Ask) -> None:
    for words in (["toy-line"], ["toy-line@1"], ["model:toy-line"], [MODEL], [MODEL[7:15]]):
        assert ask.thing(*words) == ("model", MODEL), words
    assert ask.thing("toy@1") == ask.thing("release:toy") == ("release", "1")
    assert ask.thing(f"bento:{BENTO}") == ("bento", BENTO)
    assert ask.thing("raw.csv")[0] == "raw"


def test_a_file_is_known_by_its_content_wherever_it_lies(ask: Ask, here: Team) -> None:
    (here.root / "raw.csv").rename(here.root / "elsewhere.csv")
    assert ask.thing("elsewhere.csv")[0] == "raw"
    assert ask.thing("raw.csv")[0] == "raw"  # gone, by its name


def test_code_and_settings_are_shown_when_asked_for(ask: Ask) -> None:
    assert "file mlops.toml" not in ask("toy-line", "--up")
    assert "file mlops.toml" in ask("toy-line", "--up", "--files")
    assert "train.toy-line" in ask("mlops.toml", "--down")


def test_so_many_steps_far_and_no_further(ask: Ask) -> None:
    assert steps(ask("raw.csv", "--down", "--steps", "1")) == ["data.ingest.toy-points"]


def test_what_a_place_held_then_and_holds_now(ask: Ask, here: Team) -> None:
    for number, day in ((1, "2026-01-01"), (2, "2026-02-01")):
        made = release_of(here, number)
        for path, text in files_of(made, "dev").items():
            here.write(path, text)
        here.commit(f"Release {number}", push=False)
        dated(here, f"{day}T12:00:00Z")
    here.git("push", "--quiet", "--force", "origin", "HEAD")
    here.git("fetch", "--quiet", "origin")
    assert ask.thing("dev/toy") == ("release", "2")
    assert ask.thing("dev/toy", "--at", "2026-01-15") == ("release", "1")
    assert ask.thing("dev/toy", "--at", "2026-01-01T12:00") == ("release", "1")
    assert "dev/toy serves release 2" in ask("release:toy@2", "--down")
    refused = ask.refused("dev/toy", "--at", "2025-12-31")
    assert refused.startswith("environments/dev/toy: held no release on 2025-12-31 00:00 UTC; ")
    assert "mlops history toy --env dev" in refused


def dated(team: Team, moment: str) -> None:
    env = {**os.environ, "GIT_COMMITTER_DATE": moment}
    amend = ["git", "commit", "--amend", "--quiet", "--no-edit", f"--date={moment}"]
    subprocess.run(amend, cwd=team.root, env=env, check=True)


def test_without_events_pins_and_releases_in_git_answer(ask: Ask, here: Team) -> None:
    made = release_of(here, 1)
    for path, text in files_of(made, "prod").items():
        here.write(path, text)
    pin = "\n".join(
        [
            "outs:",
            f"- {{md5: '{'0' * 32}', size: 1, hash: md5, path: toy-points/table.parquet}}",
            "meta:",
            f"  sha256: '{made.release.datasets[0].digest[7:]}'",
            "  rows: 1",
            "  contract: 1.0.0",
            f"  raw: [{{path: january.csv, sha256: '{'1' * 64}'}}]",
        ]
    )
    here.write("data-contracts/toy-points.dvc", f"{pin}\n")
    here.commit("Release and pin")
    here.git("fetch", "--quiet", "origin")
    for file in Kept(here.stores).files():
        file.unlink()
    shown = ask("prod/toy")
    assert "raw january.csv 111111111111" in shown
    assert "by Git" in shown
    assert [step.split(".")[0] for step in steps(shown)][-2:] == ["data", "merge"]
    assert "prod/toy serves release 1" in shown
    assert ask.thing("toy-points") == ("dataset", made.release.datasets[0].digest)
    assert ask.thing("model:toy-line@1") == ("model", made.release.models[0].digest)


def test_a_step_that_failed_or_was_killed_made_nothing(ask: Ask, here: Team) -> None:
    before = ask(f"dataset:{ROWS}", "--down")
    for file in Kept(here.stores).files():
        first, last = file.read_text().splitlines()
        if '"train.toy-line"' in last:
            file.write_text(first + "\n")
    after = ask(f"dataset:{ROWS}", "--down")
    assert "train.toy-line" in before
    assert "train.toy-line" not in after


def test_a_file_that_holds_no_events_is_told_and_left_out(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = here.stores / "lineage" / "2026-01-01" / "cut.jsonl"
    cut.parent.mkdir()
    cut.write_text('{"eventType":"COMPLETE","run":{"runId":\n')
    assert run(["data", "lineage", "model:toy-line"]) == Exit.DONE
    told_of = capsys.readouterr()
    assert "train.toy-line" in told_of.out
    assert told_of.err == (
        f"{cut}: does not end with an event of lineage (JSONDecodeError); "
        "delete it; the rest counts\n"
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nonsense"], "unknown"),
        (["toy-pionts"], "misspelt"),
        (["toy-line@7"], "no-such-number"),
        (["new.csv"], "other-content"),
        (["prod/toy"], "holds-nothing"),
        (["nowhere/toy", "--at", "2026-01-01"], "no-environment"),
    ],
)
def test_a_name_that_is_not_known_is_told_with_near_ones(
    ask: Ask, here: Team, words: list[str], reason: str
) -> None:
    here.write("new.csv", "x\n2\n")
    expected = INVALID / f"lineage-{reason}" / "message.txt"
    assert ask.refused(*words) == expected.read_text()


def test_a_name_that_two_kinds_have_is_told_with_both(
    ask: Ask, here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(here.repo, "train", "toy"):
        told.wrote("m", ROWS[:-1] + "0", Thing("model", "toy", label="3"))
    assert ask.refused("toy") == (
        "toy: is the name of a model and a release; write model:toy or release:toy\n"
    )
    assert ask.thing("model:toy")[0] == "model"
    assert ask.thing("release:toy")[0] == "release"


def test_the_picture_is_an_svg_without_programs_that_shows_all_of_it(ask: Ask, here: Team) -> None:
    shown = ask("toy-line", "--picture", "model.svg")
    assert shown.endswith("drawn in model.svg\n")
    content = Path("model.svg").read_bytes()
    for name in ("raw.csv", "toy-points", "toy-line@1", "train.toy-line", "release"):
        assert name.encode() in content
    plot = Plot(file="model.svg", digest=digests.of_bytes(content), caption="Lineage")
    assert not hasattr(looked_at(plot, content), "fix")
    ask("toy-line", "--picture", "model.svg")
    assert Path("model.svg").read_bytes() == content


def test_the_many_files_of_a_log_are_one_thing_unless_one_is_asked_for() -> None:
    first, second = (Node("release", "toy", number) for number in "12")
    logged = [
        Derivation(
            job="serve.toy",
            at=f"2026-01-0{day}T00:00:00Z",
            commit=None,
            run=None,
            inputs=frozenset({release}),
            outputs=frozenset(
                {Node("predictions", f"{place}/toy", fake_digest("log", "toy", day))}
            ),
        )
        for day, release, place in (
            *((1, first, "dev"), (2, first, "dev"), (3, first, "dev")),
            *((4, first, "prod"), (5, second, "dev")),
        )
    ]
    graph = Graph(tuple(logged))
    many = graph.gathered(first)
    shown = sorted(node.version[:9] for one in many.from_(first, "down") for node in one.outputs)
    assert len(shown) == 2
    assert "3 files" in shown
    (one,) = logged[1].outputs
    apart = graph.gathered(one)
    assert logged[1] in apart.all
    assert "2 files" in {node.version for each in apart.all for node in each.outputs}
