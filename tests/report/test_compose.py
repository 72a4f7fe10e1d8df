"""One comment from which a reviewer decides: verdict first, worst first, nothing lost."""

import pytest

from mlops.checks.context import Share
from mlops.errors import BadInput, Exit, Problem
from mlops.report.compose import SUMMARY_LIMIT, Report, compose
from mlops.report.fitting import LIMIT
from mlops.report.pictures import Picture
from mlops.specs.result import Result, Told
from tests.report.markdown_rules import check_safe
from tests.report.results import (
    BASE,
    FAILED_GATE,
    HEAD,
    comparison,
    everything,
    model,
    plan_of,
    result,
)


def report(*results: Result, plan: tuple[Share, ...] | None = None, **more: object) -> Report:
    planned = plan_of(results) if plan is None else plan
    return compose(planned, results, base=BASE, head=HEAD, **more)  # type: ignore[arg-type]  # as given


def test_the_verdict_and_what_changes_for_users_come_first() -> None:
    first = report(result("code"), result("models", models=(model(),))).comment.splitlines()[0]
    assert first == (
        "**Good.** With the next release `toy-line` is 16.7 % lower in `mae` "
        "than what serves in prod now (better)."
    )


def test_a_change_that_reaches_nothing_that_serves_says_so() -> None:
    assert report(result("code")).sentence == (
        "Nothing changes for users: no service, model, contract or environment is touched."
    )


def test_a_service_that_is_built_anew_is_named() -> None:
    assert report(result("code"), services=("toy",)).sentence == (
        "No model changes; the next release of `toy` is built from other code."
    )


def test_a_model_that_could_not_be_measured_is_named() -> None:
    plan = (Share("models", ("toy-line", "toy-wave")),)
    made = report(result("models", outcome="not evaluated", models=(model(),)), plan=plan)
    assert "`toy-wave` changes with the next release and was not measured here." in made.comment


def test_a_plan_without_shares_is_good() -> None:
    assert report().judged.code == Exit.DONE


def test_everything_a_reviewer_needs_is_there_in_this_order() -> None:
    made = report(*everything(), run_url="https://forge.example/runs/1")
    headings = [line for line in made.comment.splitlines() if line.startswith(("##", "<summary>"))]
    assert headings == [
        "## To do",
        "## Environment: `promotion` of `toy` in `prod`",
        "## Models against what serves in prod",
        "## Contracts",
        "## Data",
        "## Drift",
        "<summary>All gates (1 of 1 passed)</summary>",
        "<summary>All metrics and slices (2)</summary>",
        "<summary>What was checked (6 parts, 9 s of computing)</summary>",
        "<summary>Rendered difference (4 lines)</summary>",
        "## How to undo this",
    ]
    check_safe(made.comment, links=1)


@pytest.mark.parametrize(
    "line",
    [
        "- `tests/test_x.py::test_y`: fails (1 \\!= 2); run `pytest tests/test_x.py`",
        "| **look** | freeze | holidays until 2024-01-02 |",
        "- model toy-line: version 1 to version 2",
        "| `toy-line` | `mae` | 1.5 | 1.25 | -0.25 | -0.45 to -0.05 (95%) | better | passed |",
        "| `toy-line` | `side = left` (48) | `mae` | 1.5 | 1.25 | -0.25 | -0.45 to +0.05 (95%) |",
        "`toy-points` 1.0.0 to 1.1.0 (needs a new major version), read by model `toy-line`, served by service `toy`:",
        "- **breaking** widening `points.x`: may be null now",
        "| `toy-points` | 1.0.0 | 720 | 9 of 9 | - |",
        "| `toy-line` | `temperature` | 0.31 |",
        "mlops rollback toy --env prod --to 6",
        "Reason given: `the holiday data is in`",
        "| model | metric | serves now (release 6) | release 7 | difference | interval | verdict | gate |",
        "As `decision.yaml` states it, not made anew here.",
        "Full evidence: the folder of this report, artifact `report` (`index.html` shows it with its pictures). Checked: commit `bbbbbbbbbbbb`.",
    ],
)
def test_each_thing_stands_in_a_line_of_its_own(line: str) -> None:
    assert line in report(*everything()).comment.splitlines()


def test_a_share_without_a_result_is_not_good_and_named() -> None:
    plan = (Share("code"), Share("models", shard=1, of=2), Share("models", shard=2, of=2))
    made = report(result("code"), result("models", shard=1, of=2), plan=plan)
    assert made.judged.code == Exit.NOT_GOOD
    (problem,) = made.judged.to_do
    assert str(problem) == (
        "models 2 of 2: no result: the job was cancelled, died, or was refused; "
        "run the failed jobs again; when it happens twice, read that job's log"
    )
    assert "What changes for users is not wholly known: results are missing." in made.comment


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"base": "c" * 40}, "is the result for cccccccccccc..bbbbbbbbbbbb, not for"),
        ({"head": "c" * 40}, "is the result for aaaaaaaaaaaa..cccccccccccc, not for"),
        ({"part": "policy"}, "has a result, but the plan has no such share"),
        ({"shard": 2, "of": 2}, "has a result, but the plan has no such share"),
    ],
)
def test_a_result_of_something_else_is_refused(wrong: dict[str, object], told: str) -> None:
    other = result("models", models=(model(),)).model_copy(update=wrong)
    made = report(other, plan=(Share("models"),))
    assert made.verdict == "not good"
    assert told in made.judged.to_do[0].what
    assert "toy-line" not in made.comment


def test_the_same_result_twice_is_refused() -> None:
    made = report(result("code"), result("code"), plan=(Share("code"),))
    assert made.verdict == "not good"
    assert "has 2 results, none was taken" in made.judged.to_do[0].what


def test_a_refused_file_is_not_good_even_when_all_shares_are_there() -> None:
    made = report(result("code"), refused=[Problem("x.json", "is no result", "leave it out")])
    assert made.verdict == "not good"
    assert "- `x.json`: is no result; leave it out" in made.comment


def test_what_could_not_be_looked_at_blocks_and_says_who_can() -> None:
    made = report(result("code"), result("models", outcome="not evaluated", summary="no data here"))
    assert made.verdict == "not evaluated"
    assert made.judged.code == Exit.NOT_GOOD
    assert "could not be evaluated here: no data here; " in made.comment
    assert "a maintainer has this exact commit evaluated" in made.comment


def test_a_result_that_calls_itself_good_with_a_failed_gate_is_not_good() -> None:
    made = report(result("models", models=(model(gates=(FAILED_GATE,)),)))
    assert made.verdict == "not good"
    assert "- `models/toy-line`: `mae at most 1` failed: mae is 1.7; improve" in made.comment


def test_problems_stand_worst_first() -> None:
    def bad(part: str) -> Result:
        told = Told(path=part, what="is wrong", fix="correct it")
        return result(part, outcome="not good", problems=(told,))  # type: ignore[arg-type]  # as given

    made = report(bad("code"), bad("tests"), bad("models"), bad("contracts"), bad("policy"))
    order = [problem.path for problem in made.judged.to_do]
    assert order == ["policy", "contracts", "models", "tests", "code"]


def test_of_500_models_the_worst_are_shown_and_the_others_counted() -> None:
    models = [
        model(f"model-{n}", comparisons=(comparison(f"model-{n}", difference=n / 1_000 - 0.25),))
        for n in range(499)
    ]
    broken = model("broken", gates=(FAILED_GATE,))
    made = report(result("models", outcome="not good", models=(*models, broken)))
    assert len(made.comment) <= LIMIT
    assert len(made.summary.encode()) <= SUMMARY_LIMIT
    rows = [
        line for line in made.comment.splitlines() if line.startswith("| `") and "(95%)" in line
    ]
    assert [row.split("`")[1] for row in rows[:3]] == ["broken", "model-498", "model-497"]
    assert "400 more of 500 models, the worst are above; none of them with a failed gate." in (
        made.comment
    )
    compared = [line for line in made.summary.splitlines() if line.count(" | ") == 7]
    assert sum("(95%)" in line for line in compared) == 500
    check_safe(made.comment)


def test_500_models_with_all_they_can_have_fit_into_a_comment_that_links_to_the_rest() -> None:
    names = [f"{'model-' * 7}{n:03d}" for n in range(500)]
    models = []
    for n, name in enumerate(names):
        metrics = [f"metric-{k}-{'long-' * 4}name" for k in range(8)]
        found = tuple(comparison(name, metric, difference=n / 1_000) for metric in metrics)
        models.append(model(name, comparisons=found, gates=(FAILED_GATE,) * 8))
    told = tuple(Told(path=name, what="is wrong " * 40, fix="correct it " * 20) for name in names)
    results = [
        result(
            "models", outcome="not good", models=tuple(models[:250]), problems=told, shard=1, of=2
        ),
        result("models", outcome="not good", models=tuple(models[250:]), more=9_500, shard=2, of=2),
    ]
    made = report(*results, run_url="https://forge.example/runs/1")
    assert len(made.comment) < 65_536
    assert len(made.summary.encode()) <= SUMMARY_LIMIT
    assert made.comment.startswith("**Not good: 10,250 things to do.**")
    assert f"| `{names[-1]}` |" in made.comment  # the largest loss
    assert "more of 500 models, the worst are above" in made.comment
    assert "[this run](<https://forge.example/runs/1>)" in made.comment
    check_safe(made.comment, links=1)


def test_pictures_are_named_with_what_they_show() -> None:
    made = report(result("code"), pictures=[Picture("slices.png", "error by slice", b"")])
    assert "- `slices.png` error by slice" in made.comment


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="is no address of a run"):
        report(run_url="javascript:alert(1)")
