"""`mlops report` in a team's clone: the plan of the change, its results, one report."""

import json
from pathlib import Path

import pytest

from mlops import digests
from mlops.checks.context import Share
from mlops.checks.planning import Planned, planned
from mlops.commands.report import report
from mlops.report.page import HEAD
from mlops.report.pictures import PNG
from mlops.specs.result import Plot, Result
from tests.report.markdown_rules import HOSTILE, check_safe
from tests.report.results import dataset, model
from tests.team import Team


def change(team: Team) -> Planned:
    """A commit that changes a model."""
    team.git("switch", "--quiet", "--create", "change")
    path = "models/toy-line/features.py"
    team.write(path, (team.root / path).read_text() + "\n# one more line\n")
    team.commit("Change a model", push=False)
    return planned(team.repo, "main", uncommitted=False)


def write_result(team: Team, plan: Planned, share: Share, **fields: object) -> None:
    known: dict[str, object] = {
        "part": share.part,
        "shard": share.shard,
        "of": share.of,
        "base": plan.base,
        "head": plan.head,
        "outcome": "good",
        "summary": "all is well",
        "seconds": 1.0,
    }
    made = Result.model_validate({**known, **fields})
    name = f"{share.part}-{share.shard}-of-{share.of}.json"
    team.write(f"results/{name}", made.model_dump_json())


def test_all_shares_good_is_good_and_written_as_comment_summary_and_page(team: Team) -> None:
    plan = change(team)
    for share in plan.shares:
        write_result(team, plan, share)
    done = team.mlops("report", "results", "--base", "main")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("good: ")
    assert {path.name for path in (team.root / "report").iterdir()} == {
        "comment.md",
        "summary.md",
        "index.html",
    }


def test_a_share_without_result_is_named_and_not_good(team: Team) -> None:
    plan = change(team)
    for share in plan.shares[1:]:
        write_result(team, plan, share)
    done = team.mlops("report", "results", "--base", "main")
    assert done.returncode == 1
    assert f"{plan.shares[0].part}: no result: the job was cancelled, died" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("not good: ")


def test_the_summary_goes_to_the_run_and_the_pictures_to_the_folder(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = change(team)
    picture = Plot(file="slices.png", digest=digests.of_bytes(PNG), caption=HOSTILE)
    for share in plan.shares:
        models = (model(plots=(picture,)),) if share.part == "models" else ()
        write_result(team, plan, share, models=models)
    (team.root / "results" / "slices.png").write_bytes(PNG)
    step_summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step_summary))
    out = tmp_path / "out"
    url = "https://forge.example/runs/7"
    assert report(team.repo, team.root / "results", base="main", out=out, run_url=url) == 0
    assert step_summary.read_text() == (out / "summary.md").read_text()
    assert (out / "slices.png").read_bytes() == PNG
    check_safe(step_summary.read_text(), links=1)
    page = (out / "index.html").read_text()
    assert "data:image/png;base64," in page
    assert "<script" not in page
    assert "<img src=x" not in page


def test_the_page_of_a_dataset_lies_beside_the_report_and_is_linked(
    team: Team, tmp_path: Path
) -> None:
    plan = change(team)
    data = dataset().model_copy(update={"page": digests.of_bytes(HEAD.encode())})
    for share in plan.shares:
        write_result(team, plan, share, datasets=(data,) if share.part == "models" else ())
    team.write("results/data-toy-points.html", HEAD)
    assert report(team.repo, team.root / "results", base="main", out=tmp_path) == 0
    assert (tmp_path / "data-toy-points.html").read_text() == HEAD
    comment = (tmp_path / "comment.md").read_text()
    assert "| [`data-toy-points.html`](<data-toy-points.html>) |" in comment
    check_safe(comment, links=1)
    assert '<a href="data-toy-points.html">toy-points</a>' in (tmp_path / "index.html").read_text()

    (team.root / "results" / "data-toy-points.html").write_text("<script>")
    assert report(team.repo, team.root / "results", base="main", out=tmp_path / "again") == 1
    assert not (tmp_path / "again" / "data-toy-points.html").exists()


def test_machines_get_the_verdict_and_each_problem(
    team: Team, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    change(team)
    nowhere = team.root / "nowhere"
    assert report(team.repo, nowhere, base="main", out=tmp_path / "out", as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "not good"
    assert {problem["path"] for problem in told["problems"]} >= {"code"}


def test_an_unknown_base_is_bad_input_and_the_report_says_so(team: Team) -> None:
    done = team.mlops("report", "results", "--base", "nowhere")
    assert done.returncode == 2
    problem = "is not a commit of this repository; git fetch, or correct the name"
    assert done.stderr == f"nowhere: {problem}\n"
    comment = (team.root / "report" / "comment.md").read_text()
    assert comment.startswith("**Not good: 1 thing to do.** What changes for users is not known")
    assert f"- `nowhere`: {problem}" in comment
