"""A search: budgets that are kept, shares that come together, and kills that change nothing."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.registry import Registry
from mlops.repository import Layout
from mlops.search.searching import Outcome, Share, run, search_of, study_of, trials_of
from mlops.search.trials import STUDY, Trial
from mlops.sources import SEARCH_CODE, TRAINING_CODE, tool_code
from mlops.specs.search import Search
from mlops.tree import WorkTree
from tests.search.toy import SPEC, add, searching
from tests.team import ROOT, Team, make_team
from tests.training.points import MODEL, pin, points

pytestmark = pytest.mark.slow


@pytest.fixture
def here(team: Team) -> Team:
    return searching(team)


def searched(team: Team, share: Share | None = None, **asked: float) -> Outcome | None:
    search = search_of(team.repo, MODEL).model_copy(update=asked)
    return run(team.repo, MODEL, search, share or Share(), lambda _: None)


def whole(team: Team, **asked: float) -> Outcome:
    found = searched(team, None, **asked)
    assert found is not None
    return found


def told(found: Outcome) -> list[tuple[int, Mapping[str, object], tuple[float, ...]]]:
    """All of a search but the seconds."""
    return [(one.number, one.params, one.folds) for one in (found.start, *found.trials)]


def known(team: Team) -> dict[int, Trial]:
    return trials_of(team.repo, MODEL, search_of(team.repo, MODEL)).known()


def test_what_was_tried_is_not_tried_again_and_more_can_be_asked_for(here: Team) -> None:
    first = whole(here, trials=3)
    assert [one.number for one in first.trials] == [0, 1, 2]
    again = whole(here, trials=3)
    assert (again.trials, again.start) == (first.trials, first.start), "with their seconds"
    more = whole(here)
    assert more.trials[:3] == first.trials
    assert len(more.trials) == search_of(here.repo, MODEL).trials
    assert whole(here, trials=2).trials == first.trials[:2]


def test_a_search_that_is_killed_at_any_moment_ends_as_an_undisturbed_one(
    here: Team, tmp_path: Path
) -> None:
    undisturbed = told(whole(searching(make_team(tmp_path / "undisturbed"))))
    for many in (1, 3):
        kill_when_known(here, many)
        assert len(known(here)) < 6
    assert told(whole(here)) == undisturbed


def test_a_try_that_was_cut_off_while_it_was_kept_does_not_count(here: Team) -> None:
    whole(here, trials=1)
    registry = Registry.of(here.repo)
    study = study_of(here.repo, MODEL)
    client = registry._client
    experiment = client.get_experiment_by_name(f"{MODEL}/search").experiment_id
    client.create_run(experiment, tags={STUDY: study, "trial": "1"})
    assert set(known(here)) == {0}
    assert [one.number for one in whole(here, trials=2).trials] == [0, 1]


def test_shares_make_each_try_once_and_what_one_left_is_made_at_the_end(here: Team) -> None:
    assert searched(here, Share(2, 3)) is None
    assert set(known(here)) == {1, 4}
    assert searched(here, Share(1, 3)) is None
    assert set(known(here)) == {0, 1, 3, 4}
    found = whole(here)  # the third never came
    assert [one.number for one in found.trials] == list(range(6))
    runs = Registry.of(here.repo).recorded(f"{MODEL}/search", STUDY, found.study)
    assert len(runs) == 6 + 1, "each once, and what stands in model.yaml"


def test_two_that_did_not_know_of_each_other_count_once(here: Team) -> None:
    found = whole(here, trials=2)
    trials = trials_of(here.repo, MODEL, found.search)
    trials.add(Trial(1, found.trials[1].params, (0.0, 0.0), 9.0))
    assert whole(here, trials=2).trials == found.trials


def test_workers_at_once_measure_what_one_would(here: Team) -> None:
    from mlops.search.folds import folded

    found = whole(here, workers=3)
    assert [one.number for one in found.trials] == list(range(6))
    rows = folded(here.repo, here.repo, MODEL, found.search)
    assert [rows.measure(one.params) for one in found.trials] == [x.folds for x in found.trials]


def test_no_try_begins_once_the_time_of_all_together_is_spent(here: Team) -> None:
    found = whole(here, trials=2)
    trials = trials_of(here.repo, MODEL, found.search)
    trials.add(Trial(2, found.best.params, found.best.folds, 120.0))  # on another machine
    assert [one.number for one in whole(here, minutes=2.0).trials] == [0, 1, 2]
    assert [one.number for one in whole(here, minutes=9.0).trials] == list(range(6))


def test_the_best_is_what_stands_in_model_yaml_where_nothing_is_better(here: Team) -> None:
    found = whole(here, trials=4)
    assert found.best.value == min(found.start.value, *(one.value for one in found.trials))
    assert found.is_better is (found.best.value < found.start.value)
    alone = Outcome(found.study, found.search, (), found.start)
    assert (alone.best, alone.is_better, alone.gain) == (found.start, False, 0.0)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("learning_rate: 0.2", "learning_rate: 0.3", True),  # what is searched
        ("trials: 6", "trials: 60\n  minutes: 3\n  workers: 2", True),
        ("max: 3.0}", "max: 9.0}", True),  # a gate
        ("num_leaves: 7", "num_leaves: 8", False),  # what is not
        ("max: 60}", "max: 61}", False),
        ("days: 3}", "days: 2}", False),
        ("metric: mae\n  trials", "metric: rmse\n  trials", False),
        ("trials: 6", "trials: 6\n  seed: 1", False),
        ("seed: 3", "seed: 4", False),
        ("holdout_days: 4", "holdout_days: 5", False),
    ],
)
def test_a_search_goes_on_unless_something_that_decides_it_changed(
    here: Team, old: str, new: str, same: bool
) -> None:
    before = study_of(here.repo, MODEL)
    text = (here.root / SPEC).read_text()
    assert old in text
    here.write(SPEC, text.replace(old, new))
    assert (study_of(here.repo, MODEL) == before) is same


def test_other_rows_or_code_are_another_search(here: Team) -> None:
    found = {study_of(here.repo, MODEL)}
    add(here, "models/toy-line/train.py", "\n# changed\n")
    found.add(study_of(here.repo, MODEL))
    pin(here, points(seed=2))
    found.add(study_of(here.repo, MODEL))
    assert len(found) == 3


def test_the_inputs_name_all_code_of_the_tool_that_a_search_runs() -> None:
    """Modules that it imports are inputs, or only read files, keep tries and report errors."""
    program = (
        "import sys, mlops.search.searching, mlops.data.table;"
        "print(*sorted(m for m in sys.modules if m.startswith('mlops.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    named = {
        path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for path in tool_code((*TRAINING_CODE, *SEARCH_CODE))
    }
    without_a_say = {
        "mlops.data", "mlops.data.contract", "mlops.data.derivation", "mlops.data.pin",
        "mlops.data.remote",
        "mlops.lineage", "mlops.lineage.events", "mlops.lineage.told", "mlops.training", "mlops.search",
        "mlops.search.searching", "mlops.search.trials", "mlops.registry", "mlops.registry_facts",
        "mlops.errors", "mlops.files", "mlops.git", "mlops.lock", "mlops.locks",
        "mlops.repository", "mlops.sources", "mlops.tree",
    }  # fmt: skip
    used = {name for name in done.stdout.split() if not name.startswith("mlops.specs")}
    assert used - without_a_say <= named


def test_tuning_registers_no_model(here: Team) -> None:
    whole(here, trials=2)
    assert Registry.of(here.repo).find(MODEL, version=1) is None


def test_the_example_has_a_search_that_fits_its_rows() -> None:
    found: Search = search_of(Layout(WorkTree(ROOT)), "bike-demand")
    assert "rounds" in found.space


def test_a_model_without_a_search_is_refused(team: Team) -> None:
    with pytest.raises(BadInput) as refused:
        search_of(team.repo, MODEL)
    assert str(refused.value) == (
        "models/toy-line/model.yaml: has no `search`; add one, as docs/tuning.md says"
    )


def kill_when_known(team: Team, many: int) -> None:
    """Start the command and kill it once so many tries are known, wherever it is then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops", "tune", MODEL],
        cwd=team.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(known(team)) < many and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
