"""The tests that a change needs are those that were seen reaching it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops import digests
from mlops.checks.changed_code import difference, pieces
from mlops.checks.coverage_map import CoverageMap, Source, find, keep, to_bytes
from mlops.checks.selection import Limits, Selection, select, selected
from tests.team import Team

OLD = '''"""Text."""
LIMIT = 3


def small(number: int) -> bool:
    """Whether it is."""
    if number < LIMIT:
        return True
    return False


class Box:
    size: int = 1

    def open(self) -> int:
        return self.size
'''


def changed(old: str, new: str) -> tuple[dict[str, set[int]], dict[str, set[str]]]:
    found = difference(OLD, OLD.replace(old, new))
    return (
        {name: set(lines) for name, lines in found.lines.items()},
        {name: set(names) for name, names in found.names.items()},
    )


def test_layout_comments_and_docstrings_change_nothing() -> None:
    assert changed('    """Whether it is."""\n', "    # a word\n\n") == ({}, {})
    assert changed("number < LIMIT", "(number <\n        LIMIT)") == ({}, {})


def test_a_line_of_a_function_is_that_line_alone() -> None:
    assert changed("return True", "return 1") == ({"small": {8}}, {})
    assert changed("number < LIMIT", "number > LIMIT") == ({"small": {7}}, {})


def test_a_signature_and_a_removal_are_the_whole_function() -> None:
    assert changed("small(number: int)", "small(number: int = 2)") == (
        {"small": {5, 6, 7, 8, 9}},
        {},
    )
    gone = "    def open(self) -> int:\n        return self.size\n"
    assert changed(gone, "") == ({"Box.open": {15, 16}}, {})


def test_what_runs_on_import_is_told_by_the_names_it_makes() -> None:
    assert changed("LIMIT = 3", "LIMIT = 4") == ({}, {"LIMIT": {"LIMIT"}})
    assert changed("size: int = 1", "size: int = 2") == ({}, {"Box": {"Box"}})
    assert changed("class Box:", "class Box(dict):") == ({}, {"Box": {"Box"}})


def test_an_added_method_is_told_by_its_name_and_its_class() -> None:
    added = "    def close(self) -> None: ...\n\n    def open"
    assert changed("    def open", added) == ({}, {"Box.close": {"Box", "close"}})


@given(st.lists(st.sampled_from(OLD.splitlines(keepends=True)), max_size=12))
def test_a_text_does_not_differ_from_itself(lines: list[str]) -> None:
    text = "".join(lines)
    try:
        pieces(text)
    except SyntaxError:
        return
    assert difference(text, text) == difference(text, f"{text}\n# a word\n")


THING = """LIMIT = 3


def small(number):
    if number < LIMIT:
        return "small"
    return "large"


def greet():
    return "hello"


if __name__ == "__main__":
    print(greet())
"""
TESTS = """import subprocess, sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from thing import small


@pytest.fixture(scope="module")
def shared():
    return small(1)


def test_small():
    assert small(1) == "small"


def test_large():
    assert small(5) == "large"


def test_shared(shared):
    assert shared == "small"


def test_another_process():
    program = Path(__file__).parent.parent / "scripts" / "thing.py"
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, program], capture_output=True, env=environment)
    assert done.stdout == b"hello\\n"


def test_data():
    assert (Path(__file__).parent.parent / "infra" / "data.txt").read_text()
"""


@pytest.fixture
def project(team: Team) -> Team:
    """A clone with a module, five tests and a file of data."""
    team.write("scripts/thing.py", THING)
    team.write("tests/test_thing.py", TESTS)
    team.write("infra/data.txt", "a word")
    team.write("scripts/aside.py", "print(1)\n")
    team.commit("A thing")
    return team


def chosen(team: Team, path: str, old: str, new: str) -> Selection:
    """The tests for one replacement in one file."""
    team.write(path, (team.root / path).read_text().replace(old, new))
    found = select(team.repo, "HEAD", [path])
    team.git("checkout", "--quiet", path)
    return found


def names(found: Selection) -> list[str]:
    return [test.removeprefix("tests/test_thing.py::test_") for test in found.tests]


@pytest.mark.slow
def test_a_recorded_run_tells_who_reaches_a_line_in_any_process(project: Team) -> None:
    from mlops.checks.recorded import build
    from mlops.checks.recording import record

    folder = project.stores / "recording"
    assert record(project.root, folder, ["-q", "tests"]) == 0
    made = build(project.root, folder)
    assert len(made.tests) == 5
    assert not made.unsure
    keep(project.repo.git, made)
    module = "scripts/thing.py"
    assert names(chosen(project, module, '"small"', '"tiny"')) == ["shared", "small"]
    assert names(chosen(project, module, '"large"', '"huge"')) == ["large"]
    assert {"large", "small"} < set(names(chosen(project, module, "LIMIT = 3", "LIMIT = 4")))
    assert (
        "no test reaches scripts/aside.py on import"
        in chosen(project, "scripts/aside.py", "1", "2").reason
    )
    assert names(chosen(project, module, '"hello"', '"bye"')) == ["another_process"]
    assert names(chosen(project, "infra/data.txt", "word", "text")) == ["data"]
    assert chosen(project, module, "def small", "# a word\ndef small").tests == ()
    assert chosen(project, "tests/test_thing.py", "5", "6").tests == ("tests/test_thing.py",)


def test_a_test_that_failed_in_one_run_and_passed_in_another_was_seen_whole(tmp_path: Path) -> None:
    from mlops.checks.recorded import _told

    for number, unsure in enumerate((["a", "b"], ["b"])):
        told = {"seconds": {"a": 1.0, "b": 1.0}, "unsure": unsure, "fixtures": {}}
        (tmp_path / f"tests-{number}.json").write_text(json.dumps(told))
    assert _told(tmp_path)[1] == {"b"}


def test_without_a_recording_it_is_all_tests_and_said_so(project: Team) -> None:
    found = chosen(project, "scripts/thing.py", "3", "4")
    assert (found.tests, found.everything) == (("tests", "models", "apps"), True)
    assert found.reason == "it is not recorded which tests a change reaches"


def test_without_a_recording_a_models_change_needs_no_test_of_the_tool(project: Team) -> None:
    found = select(project.repo, "HEAD", ["models/toy-line/model.yaml", "apps/toy/service.py"])
    assert (found.tests, found.everything) == ((), False)
    assert found.reason.endswith("those of the affected models and services")


def test_what_serves_and_what_people_read_needs_no_test(project: Team) -> None:
    assert select(project.repo, "HEAD", ["environments/prod/toy/release.yaml"]).tests == ()
    assert select(project.repo, "HEAD", ["docs/page.md"]).tests == ()


def map_of(project: Team, seconds: tuple[float, ...]) -> CoverageMap:
    """Tests that all reach the line `return "hello"` of the thing."""
    tests = tuple(f"tests/test_thing.py::test_{number}" for number in range(len(seconds)))
    return CoverageMap(
        tests=tests,
        seconds=seconds,
        unsure=(),
        sets=(tuple(range(len(seconds))),),
        sources={"scripts/thing.py": Source(text=THING, lines={11: 0})},
        read={},
        test_files={"tests/test_thing.py": digests.of_file(project.root / "tests/test_thing.py")},
    )


def test_of_many_tests_the_quickest_are_chosen_and_a_slow_one_where_no_other_reaches(
    project: Team,
) -> None:
    project.write("scripts/thing.py", THING.replace("hello", "bye"))
    many = map_of(project, (9.0, 0.1, 50.0, 0.2, 0.3))
    one = map_of(project, (50.0,))
    limits = Limits(each=2, share=0.01)
    repo = project.repo
    found = selected(many, repo, repo.commit("HEAD"), ["scripts/thing.py"], limits)
    assert names(found) == ["1", "3"]
    unsure = many.model_copy(update={"unsure": (2,)})
    found = selected(unsure, repo, repo.commit("HEAD"), ["scripts/thing.py"], limits)
    assert names(found) == ["1", "2", "3"]
    alone = selected(one, repo, repo.commit("HEAD"), ["scripts/thing.py"], limits)
    assert names(alone) == ["0"]


def test_of_many_tests_the_case_that_is_called_as_the_module_comes_first(project: Team) -> None:
    project.write("scripts/thing.py", THING.replace("LIMIT = 3", "LIMIT = 4"))
    many = map_of(project, (0.1, 0.2, 0.3, 0.4))
    cases = ("test_0", "test_1[other]", "test_2[some-thing]", "test_thing")
    tests = tuple(f"tests/test_thing.py::{case}" for case in cases)
    source = Source(text=THING, lines={5: 0})
    many = many.model_copy(update={"tests": tests, "sources": {"scripts/thing.py": source}})
    limits, repo = Limits(each=1, share=0.5), project.repo
    found = selected(many, repo, repo.commit("HEAD"), ["scripts/thing.py"], limits)
    assert found.tests == (tests[0], tests[2])


def test_a_models_file_needs_the_quickest_of_the_tools_tests_and_no_more(project: Team) -> None:
    many = map_of(project, (9.0, 0.1, 5.0, 0.2, 0.3))
    files = ("models/toy-line/model.yaml", "infra/data.txt")
    many = many.model_copy(update={"read": dict.fromkeys(files, 0)})
    limits, repo = Limits(each=2, share=2.0), project.repo
    model, infra = (
        selected(many, repo, repo.commit("HEAD"), [file], limits).tests for file in files
    )
    assert (len(model), len(infra)) == (2, 5)


def test_what_decides_for_all_or_was_never_seen_is_all_tests(project: Team) -> None:
    keep(project.repo.git, map_of(project, (0.1,)))
    project.write("scripts/thing.py", THING)
    assert select(project.repo, "HEAD", ["pyproject.toml"]).everything
    assert select(project.repo, "HEAD", ["scripts/demo"]).everything
    project.write("scripts/unseen.py", "x = 1\n")
    project.commit("Unseen")
    assert "no test was seen executing scripts/unseen.py" in (
        select(project.repo, "HEAD", ["scripts/unseen.py"]).reason
    )


def test_a_test_file_the_map_does_not_know_is_run(project: Team) -> None:
    keep(project.repo.git, map_of(project, (0.1,)))
    project.write("tests/test_more.py", "def test_more():\n    pass\n")
    assert select(project.repo, "HEAD", ["infra/other.txt"]).tests == ("tests/test_more.py",)


def test_the_map_comes_from_the_remote_and_a_broken_one_is_none(project: Team) -> None:
    git, made = project.repo.git, map_of(project, (0.1,))
    keep(git, made)
    project.git("push", "--quiet", "origin", "refs/mlops/tests")
    project.git("update-ref", "-d", "refs/mlops/tests")
    assert find(git, "origin") == made
    assert to_bytes(made) == to_bytes(made)
    project.git("update-ref", "refs/mlops/tests", "HEAD")
    project.git("push", "--quiet", "--force", "origin", "refs/mlops/tests")
    assert find(git, "origin") is None
