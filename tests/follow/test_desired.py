"""What Git says an environment is to serve, every problem of every file named."""

from mlops.follow.desired import Broken, Wanted, read_environment
from tests.releases import make_release
from tests.team import Team


def test_release_and_settings_are_read_from_the_commit_not_the_work_tree(team: Team) -> None:
    team.write("environments/dev/toy/release.yaml", make_release(3).release_text)
    commit = team.commit("Release 3")
    team.write("environments/dev/toy/release.yaml", "broken: [")
    says = read_environment(team.repo.git, commit, "dev", {})["toy"].says
    assert isinstance(says, Wanted)
    assert says.release == make_release(3).release
    assert says.experiment is None


def test_manifests_are_not_looked_at(team: Team) -> None:
    team.write("environments/dev/toy/manifests.yaml", "this is: [no YAML")
    commit = team.commit("Broken manifests")
    assert isinstance(read_environment(team.repo.git, commit, "dev", {})["toy"].says, Wanted)


def test_every_problem_of_every_file_is_named(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", "service: toy\n")
    team.write("environments/dev/toy/release.yaml", make_release(1, service="else").release_text)
    team.write("environments/dev/toy/experiment.yaml", "service: [")
    commit = team.commit("Break all")
    says = read_environment(team.repo.git, commit, "dev", {})["toy"].says
    assert isinstance(says, Broken)
    assert [problem.path.rpartition("/")[2] for problem in says.problems] == [
        "settings.yaml",
        "experiment.yaml",
        "release.yaml",
    ]
    assert says.problems[-1].what == "`service` is 'else' in the folder of 'toy'"


def test_a_folder_that_is_the_same_in_git_is_not_read_again(team: Team) -> None:
    first = read_environment(team.repo.git, team.git("rev-parse", "HEAD"), "dev", {})
    team.write("README.md", "news")
    second = read_environment(team.repo.git, team.commit("News"), "dev", first)
    assert second["toy"] is first["toy"]


def test_a_removed_folder_is_not_in_what_is_read(team: Team) -> None:
    team.git("rm", "-r", "--quiet", "environments/dev/toy")
    assert read_environment(team.repo.git, team.commit("Remove"), "dev", {}) == {}
