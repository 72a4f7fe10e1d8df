"""A folder of results may hold anything: only what is a result or its picture is taken."""

import json
import os
from pathlib import Path

import pytest

from mlops import digests
from mlops.report import reading
from mlops.report.pictures import LARGEST, PNG, Picture, looked_at
from mlops.report.reading import MOST_FILES, Received, read_results
from mlops.specs.result import Plot, Result
from tests.report.markdown_rules import HOSTILE
from tests.report.results import everything, model, result

SVG = b'<?xml version="1.0"?>\n<!-- mae on the right --><svg xmlns="http://www.w3.org/2000/svg"/>'


def write(folder: Path, one: Result, name: str | None = None) -> Path:
    file = folder / (name or f"{one.part}-{one.shard}-of-{one.of}.json")
    file.write_text(one.model_dump_json())
    return file


def plot(content: bytes, file: str = "slices.png") -> Plot:
    return Plot(file=file, digest=digests.of_bytes(content), caption="error by slice")


def told(received: Received) -> list[str]:
    return [str(problem) for problem in received.refused]


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = everything()
    for one in written:
        write(tmp_path, one)
    received = read_results(tmp_path)
    assert sorted(one.part for one in received.results) == sorted(one.part for one in written)
    assert sorted(received.results, key=str) == sorted(written, key=str)
    assert (received.refused, received.ignored) == ((), ())


def test_a_folder_that_is_not_there_holds_no_results(tmp_path: Path) -> None:
    assert read_results(tmp_path / "results") == Received()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is not strict JSON"),
        ("{", "is not strict JSON"),
        ("[" * 100_000, "is not strict JSON"),
        ('{"part": "code", "part": "code"}', "a key stands twice"),
        ('{"seconds": NaN}', "NaN is no number"),
        ('{"seconds": 1e999}', "a number is beyond 1e300"),
        ('{"shard": %s}' % ("9" * 5_000), "a number has more than 18 digits"),
        ("[]", "`the file` is []"),
        ('{"script": 1}', "key is missing `part`"),
        ("!!python/object/apply:os.system [id]", "is not strict JSON"),
    ],
)
def test_what_is_not_a_result_by_the_spec_is_refused(
    tmp_path: Path, content: str, what: str
) -> None:
    (tmp_path / "code-1-of-1.json").write_text(content)
    received = read_results(tmp_path)
    assert received.results == ()
    assert any(what in problem for problem in told(received))
    assert len(received.refused) <= reading.MOST_TOLD + 1


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "code-1-of-1.json").write_bytes(b"\xff\xfe\x00")
    assert "is not strict JSON" in told(read_results(tmp_path))[0]


def test_a_name_cannot_promise_another_share(tmp_path: Path) -> None:
    write(tmp_path, result("code"), "policy-1-of-1.json")
    received = read_results(tmp_path)
    assert received.results == ()
    assert "policy-1-of-1.json: holds the result of code 1/1" in told(received)[0]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "code-01-of-1.json", "code-1-of-1.json.sh", "Code-1-of-1.json", "x\n.json",
     "code-1-of-1.yaml", "-rf", "$(id).json", "weights-1-of-1.json", "stray.png"],
)  # fmt: skip
def test_other_files_are_told_and_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)  # to open it would wait for ever
    received = read_results(tmp_path)
    assert received.results == ()
    assert [problem.path for problem in received.ignored] == [name]
    assert received.refused == ()


def test_links_folders_and_pipes_are_no_results(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    write(tmp_path, result("code"), "secret")
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "code-1-of-1.json").symlink_to(secret)
    (folder / "policy-1-of-1.json").mkdir()
    os.mkfifo(folder / "tests-1-of-1.json")
    received = read_results(folder)
    assert received.results == ()
    assert len(received.refused) == 3
    assert all("is not a regular file" in problem for problem in told(received))


def test_a_large_file_is_refused_and_so_is_what_is_large_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code-1-of-1.json").write_bytes(b" " * (reading.LARGEST_RESULT + 1))
    assert "at most 5,000,000 bytes" in told(read_results(tmp_path))[0]
    for one in everything():
        write(tmp_path, one)
    monkeypatch.setattr(reading, "LARGEST_TOGETHER", 4_000)
    received = read_results(tmp_path)
    assert 0 < len(received.results) < 6
    assert received.refused


def test_more_files_than_a_plan_can_have_are_not_read(tmp_path: Path) -> None:
    for number in range(1, reading.MOST_NAMES + 2):
        (tmp_path / f"file-{number}").touch()
    assert "holds more than 2,000 files, none was read" in told(read_results(tmp_path))[0]


def test_no_more_than_so_many_files_are_opened(tmp_path: Path) -> None:
    text = result("code").model_dump_json()
    for number in range(1, MOST_FILES + 3):
        (tmp_path / f"code-{number}-of-999.json").write_text(text)
    received = read_results(tmp_path)
    assert len(received.refused) == MOST_FILES + 2
    assert sum("one too many" in problem for problem in told(received)) == 2


def test_a_picture_that_a_result_names_is_taken(tmp_path: Path) -> None:
    write(tmp_path, result("models", models=(model(plots=(plot(PNG),)),)))
    (tmp_path / "slices.png").write_bytes(PNG)
    received = read_results(tmp_path)
    assert received.pictures == (Picture("slices.png", "error by slice", PNG),)
    assert (received.refused, received.ignored) == ((), ())


@pytest.mark.parametrize(
    ("named", "content", "what"),
    [
        (plot(PNG), None, "is not a file of at most 300,000 bytes beside it"),
        (plot(PNG), PNG + b"more", "is not the picture its result names (other digest)"),
        (plot(b"<svg>"), b"<svg>", "is not a PNG, or not an SVG without programs"),
        (plot(PNG, "a.svg"), PNG, "is not a PNG, or not an SVG without programs"),
        (plot(b"<html><svg>", "a.svg"), b"<html><svg>", "is not a PNG"),
        (plot(b"<svg onload='x()'/>", "a.svg"), b"<svg onload='x()'/>", "without programs"),
        (plot(b"<svg><script/></svg>", "a.svg"), b"<svg><script/></svg>", "without programs"),
        (plot(b"<svg><a href='http://x'/></svg>", "a.svg"), b"<svg><a href='http://x'/></svg>",
         "without programs"),
        (plot(PNG + b"x" * LARGEST), PNG + b"x" * LARGEST, "more than 300,000"),
    ],
)  # fmt: skip
def test_a_picture_that_is_not_what_it_should_be_is_refused(
    named: Plot, content: bytes | None, what: str
) -> None:
    found = looked_at(named, content)
    assert what in str(found)


def test_a_plain_svg_is_taken() -> None:
    named = plot(SVG, "a.svg")
    assert looked_at(named, SVG) == Picture("a.svg", "error by slice", SVG)


def test_an_svg_as_matplotlib_draws_it_is_taken(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([1, 2], [3, 4], label="on = off")
    axes.imshow([[1, 2], [3, 4]])
    axes.legend()
    figure.savefig(tmp_path / "a.svg")
    content = (tmp_path / "a.svg").read_bytes()
    assert isinstance(looked_at(plot(content, "a.svg"), content), Picture)


def test_hostile_text_in_a_result_is_kept_as_text(tmp_path: Path) -> None:
    write(tmp_path, result("code", summary=HOSTILE))
    assert read_results(tmp_path).results[0].summary == HOSTILE


def test_half_of_a_character_is_refused(tmp_path: Path) -> None:
    body = json.loads(result("code").model_dump_json()) | {"summary": "\ud800"}
    (tmp_path / "code-1-of-1.json").write_text(json.dumps(body))
    received = read_results(tmp_path)
    assert received.results == ()
    assert received.refused
