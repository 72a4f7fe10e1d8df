"""What differs between two releases, in words."""

import pytest

from mlops.environments.differences import commits_between, differences, figure, is_better
from mlops.specs.release import DatasetPin, PromptPin, Release
from tests.releases import Made, make_release
from tests.team import Team


def with_data(made: Made, digit: str, contract: str = "1.0.0") -> Release:
    pin = DatasetPin(name="toy-points", digest=f"sha256:{digit * 64}", contract=contract)
    return made.release.model_copy(update={"datasets": (pin,)})


def said(before: Release, after: Release) -> list[str]:
    return [str(one) for one in differences(before, after)]


def test_a_release_does_not_differ_from_itself() -> None:
    assert differences(make_release(1).release, make_release(1).release) == []


def test_number_source_commit_and_registry_number_alone_are_no_difference() -> None:
    one = make_release(1).release
    pins = tuple(pin.model_copy(update={"version": 9}) for pin in one.models)
    source = one.source.model_copy(update={"commit": "2" * 40})
    other = one.model_copy(update={"release": 2, "models": pins, "source": source})
    assert differences(one, other) == []


def test_model_bento_and_image_are_told_by_short_digest() -> None:
    one, two = make_release(1).release, make_release(2, image=True).release
    parts = {found.part: found for found in differences(one, two)}
    assert set(parts) == {"model toy-line", "bento", "image"}
    assert parts["model toy-line"].before.startswith("version 1 ")
    assert parts["model toy-line"].after.startswith("version 2 ")
    assert str(parts["image"]).startswith("image: none -> toy@")


def test_data_is_told_with_its_rows_and_how_many_more() -> None:
    one, two = with_data(make_release(1), "a"), with_data(make_release(1), "b")
    rows = {"rows_before": {"toy-points": 744}, "rows_after": {"toy-points": 1440}}
    assert [str(found) for found in differences(one, two, **rows)] == [
        "dataset toy-points: aaaaaaaaaaaa, 744 rows -> bbbbbbbbbbbb, 1,440 rows (696 rows more)"
    ]
    assert said(one, two) == ["dataset toy-points: aaaaaaaaaaaa -> bbbbbbbbbbbb"]


def test_a_contract_that_moved_on_is_told() -> None:
    one, two = with_data(make_release(1), "a"), with_data(make_release(1), "a", "1.1.0")
    assert said(one, two) == ["contract of toy-points: 1.0.0 -> 1.1.0"]


def test_what_is_new_or_gone_is_told_as_such() -> None:
    one = make_release(1).release
    prompt = PromptPin(name="answer", digest=f"sha256:{'c' * 64}")
    two = one.model_copy(update={"prompts": (prompt,), "models": ()})
    assert said(one, two)[1] == "prompt answer: none -> cccccccccccc"
    assert said(one, two)[0].endswith(" -> none")


def test_metrics_on_the_same_rows_say_better_or_worse_and_on_others_do_not() -> None:
    one, two = make_release(1, mae=1.5).release, make_release(1, mae=1.25).release
    assert said(one, two) == ["metric toy-line.mae: 1.5 -> 1.25 (lower, better)"]
    assert said(two, one) == ["metric toy-line.mae: 1.25 -> 1.5 (higher, worse)"]
    pin = two.evidence.model_copy(update={"measured_on": f"sha256:{'d' * 64}"})
    elsewhere = two.model_copy(update={"evidence": pin})
    assert said(one, elsewhere) == ["metric toy-line.mae: 1.5 -> 1.25 (measured on other rows)"]


@pytest.mark.parametrize(
    ("metric", "before", "after", "better"),
    [
        ("m.mae", 2.0, 1.0, True),
        ("m.auc", 0.7, 0.8, True),
        ("auc", 0.8, 0.7, False),
        ("bias", -3.0, -1.0, True),
        ("bias", 0.5, -1.0, False),
    ],
)
def test_which_way_is_better_depends_on_the_metric(
    metric: str, before: float, after: float, better: bool
) -> None:
    assert is_better(metric, before, after) is better


def test_figures_have_four_digits_and_no_powers_of_ten_when_large() -> None:
    assert [figure(value) for value in (0.123456, 12.3456, 12345.6, -1e6, 0.0)] == [
        "0.1235", "12.35", "12,346", "-1,000,000", "0",
    ]  # fmt: skip


def test_only_commits_that_reach_the_service_are_listed(team: Team) -> None:
    start = team.git("rev-parse", "HEAD")
    team.write("README.md", "words\n")
    team.commit("Words")
    team.write("models/toy-line/train.py", "# other\n")
    wanted = team.commit("Train otherwise")
    team.write("apps/toy/evidence/x.json", "{}")
    end = team.commit("Evidence")
    before, after = (make_release(1, commit=commit).release for commit in (start, end))
    found = commits_between(team.repo, before, after)
    assert [(one.commit, one.subject) for one in found] == [(wanted, "Train otherwise")]
    assert commits_between(team.repo, after, before) == []


def test_commits_that_are_not_in_the_clone_are_no_error(team: Team) -> None:
    there = make_release(1, commit=team.git("rev-parse", "HEAD")).release
    assert commits_between(team.repo, make_release(1, commit="9" * 40).release, there) == []
