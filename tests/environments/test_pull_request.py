"""The text of a pull request: a verdict first, safe whatever is in it, never too long."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from mlops.environments.differences import Commit, differences
from mlops.environments.pull_request import Story, body, title
from mlops.report.fitting import LIMIT
from mlops.report.sections import word_of
from mlops.specs.decision import Comparison
from mlops.specs.evidence import Drift, GateResult, SliceMetrics
from tests.releases import fake_digest, make_decision, make_evidence, make_release

HOSTILE = (
    "<img src=x onerror=alert(1)> @octocat #1 [a](https://evil.example) ![b](c) | d | "
    "`e` ``` \n\n# heading\n</details><script> https://evil.example *f* \u202e"
)


def comparison(low: float = -0.4, high: float = -0.1, metric: str = "mae") -> Comparison:
    return Comparison(
        model="toy-line",
        challenger=fake_digest("model", "toy", 2),
        champion=fake_digest("model", "toy", 1),
        measured_on=fake_digest("holdout"),
        rows=96,
        metric=metric,
        challenger_value=1.25,
        champion_value=1.5,
        difference=-0.25,
        low=low,
        high=high,
        confidence=0.95,
        passed=True,
    )


def a_story(kind: str = "promotion") -> Story:
    made, champion = make_release(2, mae=1.25), make_release(1, mae=1.5).release
    came_from = "staging" if kind == "promotion" else None
    decision = make_decision(
        made,
        "prod",
        kind=kind,
        came_from=came_from,
        champion=champion,
        comparisons=(comparison(),),
    )
    checks = (GateResult(gate="one kind", passed=True, detail="promotion: toy in prod"),)
    return Story(
        decision=decision.model_copy(update={"checks": checks}),
        release=made.release,
        champion=champion,
        evidence=made.evidence,
        differences=differences(champion, made.release),
        commits=[Commit("c" * 40, "Train on more data")],
        undone=[],
        rendered="--- a\n+++ b\n-old\n+new\n",
        undo=("git revert $(git log -1)", "mlops rollback toy --env prod --to 1"),
    )


def hostile_story() -> Story:
    """A story in which every text that somebody else decides is hostile."""
    story = a_story()
    evidence = make_evidence(source_tree=fake_digest("source"))
    model = evidence.models[0].model_copy(
        update={
            "slices": (
                SliceMetrics(column=HOSTILE, value=HOSTILE, rows=1, metrics={HOSTILE: 1.0}),
            ),
            "drift": (Drift(column=HOSTILE, statistic=0.5),),
        }
    )
    return replace(
        story,
        decision=story.decision.model_copy(
            update={
                "reason": HOSTILE,
                "comparisons": (comparison(metric=HOSTILE),),
                "checks": (GateResult(gate=HOSTILE, passed=False, detail=HOSTILE),),
            }
        ),
        evidence=evidence.model_copy(update={"models": (model,)}),
        differences=[replace(one, before=HOSTILE, after=HOSTILE) for one in story.differences],
        commits=[Commit("c" * 40, HOSTILE)],
        undone=[Commit("d" * 40, HOSTILE)],
        rendered=HOSTILE,
    )


def test_the_verdict_comes_first() -> None:
    lines = body(a_story()).splitlines()
    assert lines[0] == "**Promote release 2 of toy from staging to prod: all 1 checks passed.**"
    assert lines[2] == "`toy-line` is 16.7 % lower in `mae` than what serves now (better)."


def test_failed_checks_are_counted_in_the_verdict_and_stand_first_in_the_table() -> None:
    story = a_story()
    failed = GateResult(gate="freeze", passed=False, detail="holidays")
    checks = (*story.decision.checks, failed)
    told = body(replace(story, decision=story.decision.model_copy(update={"checks": checks})))
    assert "1 of 2 checks failed.**" in told
    rows = [line for line in told.splitlines() if line.startswith(("| passed", "| **FAILED"))]
    assert rows[0] == "| **FAILED** | `freeze` | `holidays` |"


def test_a_reviewer_finds_metrics_changes_data_checks_undo_and_evidence() -> None:
    told = body(a_story())
    row = "| `toy-line` | `mae` | 1.5 | 1.25 | -0.25 | -0.4 to -0.1 (95%) | better | passed |"
    assert row in told
    assert "- `cccccccccccc` `Train on more data`" in told
    assert "## How to undo this\n\n```sh\ngit revert $(git log -1)\nmlops rollback" in told
    assert f"`apps/toy/evidence/{a_story().release.evidence.digest[7:]}.json`" in told
    assert "<summary>Rendered difference (4 lines)</summary>\n\n```diff\n--- a" in told
    for heading in ("## What changes against release 1", "## Data and contracts", "## Drift"):
        assert heading in told


@pytest.mark.parametrize(
    ("low", "high", "metric", "word"),
    [
        (-0.4, -0.1, "mae", "better"),
        (-0.4, 0.1, "mae", "no clear difference"),
        (0.1, 0.4, "mae", "worse"),
        (-0.4, -0.1, "auc", "worse"),
        (0.0, 0.0, "mae", "no clear difference"),
    ],
)
def test_the_word_follows_the_whole_interval_and_the_metrics_direction(
    low: float, high: float, metric: str, word: str
) -> None:
    one = comparison(low, high, metric).model_copy(update={"difference": (low + high) / 2})
    assert word_of(one) == word


def test_without_a_champion_the_baseline_is_named() -> None:
    one = comparison().model_copy(update={"champion": "baseline"})
    story = a_story()
    decision = story.decision.model_copy(update={"comparisons": (one,), "champion": None})
    told = body(replace(story, champion=None, decision=decision, differences=[], commits=[]))
    assert "than the stated baseline" in told
    assert "Nothing serves in prod yet." in told
    assert "What changes against" not in told


def test_hostile_text_makes_no_html_link_image_heading_or_mention() -> None:
    told = body(hostile_story())
    tokens = MarkdownIt("commonmark").enable("table").parse(told)
    children = [child for token in tokens for child in token.children or []]
    html = {token.content.strip() for token in tokens if token.type == "html_block"}
    assert all(part.startswith(("<details>\n<summary>", "</details>")) for part in html)
    assert not {"link_open", "image", "html_inline"}.intersection(c.type for c in children)
    plain = " ".join(child.content for child in children if child.type == "text")
    assert "@" not in plain
    assert "#1" not in plain
    assert "evil" not in plain
    assert "\u202e" not in told
    assert {token.tag for token in tokens if token.type == "heading_open"} == {"h2"}


def test_hostile_text_leaves_every_table_with_its_columns() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(body(hostile_story()))
    heads = cells = rows = 0
    for token in tokens:
        if token.type == "table_open":
            heads = cells = rows = 0
        heads += token.type == "th_open"
        cells += token.type == "td_open"
        rows += token.type == "tr_open"
        if token.type == "table_close":
            assert cells == heads * (rows - 1)


@pytest.mark.parametrize(
    "rendered",
    ["+line of a diff\n" * 20_000, "+" + "x" * 200_000, "`" * 90_000],
    ids=["many lines", "one long line", "only backticks"],
)
def test_a_long_rendered_difference_is_cut_with_a_count_and_a_pointer(rendered: str) -> None:
    told = body(replace(a_story(), rendered=rendered))
    assert len(told) <= LIMIT
    assert "lines more are in `environments/prod/toy/manifests.yaml`." in told
    assert told.endswith("</details>\n")


def test_thousands_of_everything_still_fit() -> None:
    story = hostile_story()
    told = body(
        replace(
            story,
            decision=story.decision.model_copy(
                update={
                    "reason": HOSTILE * 5000,
                    "comparisons": story.decision.comparisons * 5000,
                    "checks": story.decision.checks * 5000,
                }
            ),
            differences=list(story.differences) * 5000,
            commits=list(story.commits) * 5000,
            undone=list(story.undone) * 5000,
            rendered="+line\n" * 50_000,
        )
    )
    assert len(told) <= LIMIT
    assert "and 4,980 more" in told


def test_a_rollback_says_what_is_withdrawn_and_whether_a_plain_revert_does_the_same() -> None:
    story = replace(a_story("rollback"), champion=make_release(3).release)
    told = body(story)
    assert told.startswith("**Put release 2 of toy back in prod: all 1 checks passed.**")
    assert "this withdraws it, and to promote it again takes `--again REASON`." in told
    assert "A plain `git revert` of the newest change would not give this." in told


def test_titles_are_subjects_of_commits() -> None:
    titles = [title(a_story(kind).decision) for kind in ("promotion", "rollback", "release")]
    assert titles == [
        "Promote toy 2 to prod",
        "Roll toy back to 2 in prod",
        "Release toy 2 to prod",
    ]
