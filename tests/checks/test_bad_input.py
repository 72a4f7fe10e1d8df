"""Bad input, as a pull request and a laptop are told of it: the verdict, its reason, the exit code.

Each change is made in a clone of its own and checked as `pr.yaml` does it (a process for each
share of the plan, then the report), and by `mlops check` as a person types it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from mlops.report.fitting import LIMIT
from tests.checks import wrong_changes as wrong
from tests.checks.pull_request import checked, run
from tests.team import Team, git

pytestmark = pytest.mark.slow
GOOD, NOT_GOOD, BAD_INPUT = 0, 1, 2
NOTHING = "Nothing changes for users: no service, model, contract or environment is touched."
UNREAD = "What changes for users is not known: files of environments/ cannot be read."
UNPLANNED = "What changes for users is not known: there is no plan that results could belong to."
SEVERAL = "It is not one kind of change of environments/, so what would serve is not told."
NOT_MEASURED = "`toy-line` changes with the next release and was not measured here."
BREAKS = "The contract of `toy-points` breaks for `toy-line`, which reads it (served by `toy`)."
RESTORE = "restore the file, or name it for what it is"
BY_TOOL = "let the tool write it: mlops release, mlops promote or mlops rollback"
NO_BENTO = (
    f"`stores/bentos/toy/{'2' * 64}`: is not in the store; run `mlops build toy` at its source "
    "commit"
)


@dataclass(frozen=True)
class Case:
    """A change and what has to be said of it; texts name its values in braces.

    Attributes:
        make: makes the change.
        verdict: first line of the comment.
        to_do: what the comment lists.
        last: last line that `mlops check` prints; empty when it could not begin.
        jobs: exit codes of the parts that do not end with 0.
        code: exit code of the report and of `mlops check`.
    """

    make: Callable[[Team], wrong.Values]
    verdict: str
    to_do: tuple[str, ...] = ()
    last: str = "change since origin/main: not good"
    jobs: dict[str, int] = field(default_factory=dict)
    code: int = NOT_GOOD


CASES = [
    Case(
        wrong.two_services,
        f"**Not good: 1 thing to do.** {SEVERAL}",
        (
            (
                "`environments/dev`: the change touches 2 services (other, toy); make one pull "
                "request for each"
            ),
        ),
        jobs={"environments": NOT_GOOD},
    ),
    Case(
        wrong.release_by_hand,
        "**Not good: 3 things to do.** `toy` in `staging` would answer from release 1, in place "
        "of release 1.",
        (
            (
                "`environments/staging/toy/release.yaml`: is not byte for byte the release 1 that "
                "dev holds; let the tool copy it: mlops promote toy --to staging"
            ),
            (
                "`environments/staging/toy/decision.yaml`: `champion` is nothing, but this change "
                f"says release 1 ({{held}}); {BY_TOOL}"
            ),
            NO_BENTO,
        ),
        last="promotion: toy in staging: not good",
        jobs={"environments": NOT_GOOD},
    ),
    Case(
        wrong.first_release_by_hand,
        "**Not good: 3 things to do.** `toy` in `dev` would answer from release 1, in place of "
        "release 1.",
        (
            (
                "`environments/dev/toy/release.yaml`: release 1 is there already with other bytes: "
                "none is ever edited, and each has a number of its own; release again: mlops release "
                "toy"
            ),
            (
                "`environments/dev/toy/decision.yaml`: `champion` is nothing, but this change says "
                f"release 1 ({{held}}); {BY_TOOL}"
            ),
            NO_BENTO,
        ),
        last="release: toy in dev: not good",
        jobs={"environments": NOT_GOOD},
    ),
    Case(
        wrong.manifest_by_hand,
        "**Not good: 1 thing to do.** What is rendered for `toy` in `dev` would change, no "
        "release.",
        (
            (
                "`environments/dev/toy/manifests.yaml`: is not what the files beside it render to; "
                "run `mlops render` and commit the result, never edit it by hand"
            ),
        ),
        last="base: dev: not good",
        jobs={"environments": NOT_GOOD},
    ),
    Case(
        wrong.contract_taken_away,
        f"**Not good: 1 thing to do.** {NOT_MEASURED} {BREAKS}",
        (
            (
                "`data-contracts/toy-points.odcs.yaml`: there is no contract, but model toy-line "
                "(service toy) reads its data; add the contract of toy-points, or learn from a "
                "dataset that has one"
            ),
        ),
        jobs={"contracts": NOT_GOOD, "models": NOT_GOOD},
    ),
    Case(
        wrong.model_without_contract,
        "**Not good: 1 thing to do.** `lost` changes with the next release and was not measured "
        "here.",
        (
            (
                "`data-contracts/nowhere.odcs.yaml`: there is no contract, but model lost reads its "
                "data; add the contract of nowhere, or learn from a dataset that has one"
            ),
        ),
        jobs={"models": NOT_GOOD},
    ),
    Case(
        wrong.unpinned_action,
        f"**Not good: 4 things to do.** {NOTHING}",
        (
            (
                "`.github/workflows/pr.yaml:9`: `uses: actions/checkout@v7` is not pinned to a "
                "commit: a tag or branch can be moved; write `uses: actions/checkout@` with the 40 "
                "hex digits of the commit, and `# v1.2.3` behind"
            ),
            (
                "`.github/workflows/pr.yaml:11`: `uses: actions/cache@55cc834` is not pinned to a "
                "commit: a tag or branch can be moved; write `uses: actions/cache@` with the 40 hex "
                "digits of the commit, and `# v1.2.3` behind"
            ),
            (
                "`.github/workflows/pr.yaml:12`: `uses: actions/setup-python@5fda3b95a4ea91299a34e894"
                "583c3862153e4b97` does not say which version that commit is; write the version "
                "behind it: `# v1.2.3`"
            ),
            (
                "`.github/workflows/pr.yaml:13`: `uses: docker://alpine:3` is not pinned to a digest: "
                "a tag can name another image tomorrow; write the image as "
                "`docker://NAME@sha256:DIGEST`"
            ),
        ),
        jobs={"policy": NOT_GOOD},
    ),
    Case(
        wrong.never_held_before,
        "**Not good: 2 things to do.** `toy` in `prod` would answer from release 2.",
        (
            (
                "`environments/prod/toy/release.yaml`: release 2 is in no environment before prod "
                "(staging holds release 1); promote what staging holds: mlops promote toy --to prod"
            ),
            (
                "`{evidence}`: is named by environments/prod/toy/release.yaml but is not there; "
                "release again: mlops release toy"
            ),
        ),
        last="promotion: toy in prod: not good",
        jobs={"environments": NOT_GOOD},
    ),
    Case(
        wrong.champion_folder_gone,
        "**Not good: 4 things to do.** `toy-line` is taken away.",
        (
            *(
                f"`models/toy-line`: is removed, but {place} serves it in release 1 "
                f"(environments/{place}/toy/release.yaml); promote a release without it first, "
                f"or remove environments/{place}/toy first"
                for place in ("prod", "staging", "dev")
            ),
            (
                "`apps/toy/service.yaml`: names toy-line, which is removed; take it out of `models` "
                "in the same change"
            ),
        ),
        jobs={"models": NOT_GOOD},
    ),
    Case(
        wrong.binary_spec,
        f"**Not good: 1 thing to do.** {NOT_MEASURED}",
        (
            (
                "`models/toy-line/model.yaml`: is binary (byte 0 is not UTF-8 text) where YAML is "
                f"expected; {RESTORE}"
            ),
        ),
        jobs={"models": NOT_GOOD, "policy": BAD_INPUT},
        code=BAD_INPUT,
    ),
    Case(
        wrong.binary_settings,
        f"**Not good: 1 thing to do.** {UNREAD}",
        (
            (
                "`environments/dev/toy/settings.yaml`: is binary (byte 12 is not UTF-8 text) where "
                f"YAML is expected; {RESTORE}"
            ),
        ),
        jobs={"environments": BAD_INPUT, "policy": BAD_INPUT},
        code=BAD_INPUT,
    ),
    Case(
        wrong.binary_code,
        f"**Not good: 1 thing to do.** {NOT_MEASURED}",
        (
            (
                "`models/toy-line/features.py`: is binary (byte 0 is not UTF-8 text) where text is "
                f"expected; {RESTORE}"
            ),
        ),
        jobs={"code": BAD_INPUT, "models": NOT_GOOD, "policy": BAD_INPUT},
        code=BAD_INPUT,
    ),
    Case(
        wrong.binary_project,
        f"**Not good: 1 thing to do.** {UNPLANNED}",
        (f"`mlops.toml`: is binary (byte 0 is not UTF-8 text) where text is expected; {RESTORE}",),
        last="",
        code=BAD_INPUT,
    ),
    Case(
        wrong.binary_elsewhere,
        f"**Good.** {NOTHING}",
        last="change since origin/main: good",
        code=GOOD,
    ),
    Case(
        wrong.prod_taken_away,
        f"**Not good: 1 thing to do.** {UNREAD}",
        (
            (
                "`environments/prod/env.yaml`: file is missing, and mlops.toml has prod in `order`; "
                "add it, or take prod out of `order`"
            ),
        ),
        jobs={"environments": BAD_INPUT},
        code=BAD_INPUT,
    ),
    Case(
        wrong.huge_and_good,
        f"**Good.** {NOTHING}",
        last="change since origin/main: good",
        code=GOOD,
    ),
    Case(
        wrong.huge_and_wrong,
        f"**Not good: 10,000 things to do.** {NOTHING}",
        tuple(
            f"`infra/more/n{n:05d}.yaml`: is binary (byte 0 is not UTF-8 text) where YAML is "
            f"expected; {RESTORE}"
            for n in range(20)
        ),
        jobs={"policy": BAD_INPUT},
        code=BAD_INPUT,
    ),
    Case(
        wrong.huge_environment,
        f"**Not good: 1 thing to do.** {SEVERAL}",
        (
            (
                "`environments/dev`: the change touches 10,000 services (s00000, s00001, s00002, "
                "s00003, s00004 and 9,995 more); make one pull request for each"
            ),
        ),
        jobs={"environments": NOT_GOOD},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)
def test_a_change_is_told_its_verdict_in_the_report_and_by_the_exit_code(
    team: Team, case: Case
) -> None:
    values = case.make(team)
    said = checked(team)
    assert said.verdict == case.verdict
    assert said.to_do == [line.format(**values) for line in case.to_do]
    assert {part: code for part, code in said.jobs.items() if code} == case.jobs
    assert said.report == case.code
    assert len(said.comment) <= LIMIT
    laptop = run(team.root, "check")
    assert laptop.returncode == case.code
    assert laptop.stdout.splitlines()[-1:] == ([case.last] if case.last else [])
    assert len(laptop.stderr.splitlines()) == max(len(case.to_do), min(51, _count(said.verdict)))


def _count(verdict: str) -> int:
    """`**Not good: 10,000 things to do.** ...` as a number; 0 when nothing is to be done."""
    words = verdict.partition(": ")[2].split()
    return int(words[0].replace(",", "")) if words[:1] and words[0][0].isdigit() else 0


def test_a_breaking_contract_without_a_new_major_version_names_its_readers(team: Team) -> None:
    wrong.breaking_contract(team)
    said = checked(team)
    assert said.verdict.startswith("**Not good: 2 things to do.**")
    assert said.verdict.endswith(BREAKS)
    assert said.to_do[0] == (
        "`data-contracts/toy-points.odcs.yaml`: the version stays 1.0.0, but the change breaks "
        "what was good: x: was at least 0 and at most 10, is at least 0 and at most 5. Model "
        "toy-line (service toy) reads it; write `version: 2.0.0`"
    )
    assert "358 of 744 values of `x` are not at least 0 and at most 5" in said.to_do[1]
    assert (said.jobs["contracts"], said.report) == (NOT_GOOD, NOT_GOOD)
    assert (
        "`toy-points` stays 1.0.0 (needs a new major version), read by model `toy-line`, served "
        "by service `toy`:\n\n- **breaking** narrowing `x`: was at least 0 and at most 10"
    ) in said.comment


def test_a_champion_deleted_from_the_registry_is_compared_by_its_bento_and_told(
    team: Team,
) -> None:
    wrong.champion_version_gone(team)
    said = checked(team)
    assert said.verdict.startswith("**Good.** With the next release `toy-line` is ")
    assert (
        "- `toy-line`: release 1 of toy serves, but version 1 of its model is gone from the "
        "registry, it was opened from the bento"
    ) in said.comment
    assert said.report == GOOD


def test_a_champion_that_nobody_has_blocks_as_not_evaluated(team: Team) -> None:
    values = wrong.champion_gone(team)
    said = checked(team)
    assert said.verdict == (
        "**Not evaluated: 1 thing to do.** `toy-line` changes with the next release and was not "
        "compared with release 1, which serves prod now."
    )
    (line,) = said.to_do
    assert line.startswith(
        "`models/toy-line`: comparison not evaluated: the bento of release 1 of toy is not here, "
        f"and its model could not be made again from commit {values['source']}: "
    )
    assert (said.jobs["models"], said.report) == (GOOD, NOT_GOOD)
    assert run(team.root, "check").returncode == NOT_GOOD


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (wrong.without_prod, None),
        (
            wrong.prod_not_there_yet,
            "- `toy-line`: prod is not there before this change, so it is held against staging",
        ),
    ],
)
def test_without_prod_a_model_is_held_against_the_last_environment_there_is(
    team: Team, make: Callable[[Team], wrong.Values], note: str | None
) -> None:
    make(team)
    said = checked(team)
    assert said.verdict.startswith("**Good.** With the next release `toy-line` is ")
    assert "than the stated baseline (better)." in said.verdict
    assert "## Models (nothing serves them in staging yet)" in said.comment
    assert (note in said.comment) if note else ("held against" not in said.comment)
    assert said.report == GOOD


def test_an_environment_that_is_given_up_is_told_with_what_stops_serving(team: Team) -> None:
    wrong.prod_given_up(team)
    said = checked(team)
    assert said.verdict == "**Good.** Everything would stop serving in `prod`."
    assert "- toy stops serving: release 1 -\\> none" in said.comment
    assert "| ok | approval | asked of " in said.comment
    assert said.report == GOOD


def test_a_first_commit_is_checked_as_a_whole_and_compared_with_nothing(team: Team) -> None:
    wrong.first_commit(team)
    said = checked(team, "HEAD^1")
    assert said.plan == 0
    assert set(said.jobs) == {"code", "tests", "contracts", "models", "environments", "policy"}
    assert said.jobs["environments"] == said.jobs["policy"] == GOOD
    assert "2 contracts are new." in said.verdict
    assert "a first commit, whose files fit" in said.comment


@pytest.mark.parametrize("base", ["HEAD^1", "origin/main~1"])
def test_a_shallow_clone_is_told_how_to_get_its_base(team: Team, base: str) -> None:
    for text in "ab":
        team.write("README.md", text)
        team.commit(text)
    clone = team.root.parent / "shallow"
    git(team.root.parent, "clone", "--quiet", "--depth=1", f"file://{team.forge}", str(clone))
    shallow = Team(clone, team.forge, team.stores)
    said = checked(shallow, base)
    what = "is not in the history of this shallow clone"
    fix = "git fetch --unshallow, or check out with fetch-depth: 0"
    assert (said.plan, said.jobs, said.report) == (BAD_INPUT, {}, BAD_INPUT)
    assert said.verdict == f"**Not good: 1 thing to do.** {UNPLANNED}"
    assert said.to_do == [f"`{base}`: {what}; {fix}"]
    laptop = run(clone, "check", "--base", base)
    assert (laptop.returncode, laptop.stderr) == (BAD_INPUT, f"{base}: {what}; {fix}\n")
