"""Pages of datasets beside the results: what we make is taken, what could lead elsewhere is not."""

from pathlib import Path

import pytest

from mlops import digests
from mlops.report import pages
from mlops.report.page import HEAD
from mlops.report.pages import Page, beside, in_run
from mlops.report.reading import Received, read_results
from mlops.specs.result import Result
from tests.data.test_validation import column
from tests.report.results import dataset, result
from tests.report.test_data_page import TEXT, page

FILE = "data-toy-points.html"


def named(content: bytes, name: str = "toy-points", *, failed: int = 0) -> Result:
    """The result of a share that names this page."""
    more = {"dataset": name, "page": digests.of_bytes(content)}
    data = dataset(failed=failed).model_copy(update=more)
    return result("contracts", shard=2, of=3, datasets=(data,))


def received(folder: Path, one: Result, **files: bytes) -> Received:
    """What is read of a folder with a result and these datasets' pages."""
    (folder / "contracts-2-of-3.json").write_text(one.model_dump_json())
    for name, content in files.items():
        (folder / f"data-{name}.html").write_bytes(content)
    return read_results(folder)


@pytest.mark.parametrize("hostile", ["a", "<script>alert(1)</script>", "<a href='//evil.example'>"])
def test_what_a_validation_writes_is_taken_whatever_the_data_says(
    tmp_path: Path, hostile: str
) -> None:
    moments = {"name": "at", "logicalType": "timestamp"}
    limits = column(logicalTypeOptions={"minimum": 0})
    values = {"v": ["-1", hostile, "3"], "at": ["2024-01-01", "2024-02-01", "x"]}
    content = page(limits, moments, TEXT, **values, word=[hostile] * 3).encode()
    found = received(tmp_path, named(content), **{"toy-points": content})
    assert found.pages == (Page("toy-points", "results-contracts-2-of-3", content),)
    assert (found.refused, found.ignored) == ((), ())


OTHER = "is not the page its result names (other digest)"
NOT_OURS = "has another head or other elements than a dataset's page"
NOT_THERE = "is named by a result, but is not a file of at most 1,000,000 bytes beside it"


@pytest.mark.parametrize(
    ("said", "there", "what"),
    [
        ("", None, NOT_THERE),
        (HEAD + "x" * pages.LARGEST, HEAD + "x" * pages.LARGEST, NOT_THERE),
        (HEAD, HEAD + " ", OTHER),
        ("<p>no policy", "<p>no policy", NOT_OURS),
        (" " + HEAD, " " + HEAD, NOT_OURS),
        *(
            (HEAD + more, HEAD + more, NOT_OURS)
            for more in (
                "<script>",
                "<p><SCRIPT\n>",
                "<meta http-equiv=refresh content='0;//evil.example'>",
                "<a href='//evil.example'>x</a>",
                "<svg/><form/action='//evil.example'>",
                "</base>",
                "<iframe src=x>",
            )
        ),
    ],
    ids=range(12),
)
def test_a_page_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, said: str, there: str | None, what: str
) -> None:
    files = {} if there is None else {"toy-points": there.encode()}
    found = received(tmp_path, named(said.encode()), **files)
    assert found.pages == ()
    assert [(problem.path, problem.what) for problem in found.refused] == [(FILE, what)]


def test_a_page_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(HEAD)
    (tmp_path / FILE).symlink_to(tmp_path / "secret")
    assert received(tmp_path, named(HEAD.encode())).refused[0].what == NOT_THERE


def test_a_page_that_no_result_names_is_left_alone(tmp_path: Path) -> None:
    found = received(tmp_path, named(HEAD.encode()), other=b"<p>", **{"toy-points": HEAD.encode()})
    assert [problem.path for problem in found.ignored] == ["data-other.html"]


def test_of_more_pages_than_a_report_takes_the_broken_ones_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 1)
    content = HEAD.encode()
    good, broken = named(content, "a"), named(content, "b", failed=1)
    both = good.model_copy(update={"datasets": good.datasets + broken.datasets})
    found = received(tmp_path, both, a=content, b=content)
    assert [one.dataset for one in found.pages] == ["b"]
    assert (found.refused, found.ignored) == ((), ())


def test_a_link_leads_to_the_runs_artifacts_or_the_file_or_there_is_none() -> None:
    made = [Page("toy-points", "results-contracts-1-of-1", b"")]
    assert beside(made) == {"toy-points": f"[`{FILE}`](<{FILE}>)"}
    run = "https://forge.example/o/r/actions/runs/7"
    assert in_run(made, run) == {
        "toy-points": f"[`{FILE}`](<{run}#artifacts>) in `results-contracts-1-of-1`"
    }
    assert in_run(made, None) == {}
