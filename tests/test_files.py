"""A file is written whole or not at all."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import BadInput
from mlops.files import dump_yaml, load_yaml, write_whole

INVALID = Path(__file__).parent / "fixtures" / "invalid"
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_dumped_is_loaded_again_the_same(value: object) -> None:
    assert load_yaml(dump_yaml(value), "any.yaml") == value


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """The limit on a file's size makes the kernel itself refuse the write, in a process of its own."""
    file = tmp_path / "release.yaml"
    file.write_text("old")
    program = """
        import resource, signal, sys
        from pathlib import Path
        from mlops.errors import BadInput
        from mlops.files import write_whole
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_whole(Path(sys.argv[1]), b"x" * 5000)
        except BadInput as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    message = (INVALID / "disk-full" / "message.txt").read_text()
    assert done.stdout == message.format(file=file)
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["release.yaml"]  # noqa: PTH208 - names only


def test_a_writer_killed_at_any_moment_leaves_one_of_the_two_contents(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    contents = ("a" * 200_000, "b" * 200_000)
    write_whole(file, contents[0])
    program = """
        import sys
        from pathlib import Path
        from mlops.files import write_whole
        print("go", flush=True)
        while True:
            for letter in "ab":
                write_whole(Path(sys.argv[1]), letter * 200_000)
    """
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(file)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            writer.kill()
        assert file.read_text() in contents


def test_a_folder_that_cannot_be_made_is_reported_in_the_error_form(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="could not be written"):
        write_whole(tmp_path / "file" / "below" / "x.yaml", "x")


def test_what_nests_too_deeply_is_told() -> None:
    with pytest.raises(BadInput, match="nests too deeply to be read; write it flatter"):
        load_yaml("[" * 5000 + "]" * 5000, "file.yaml")


def test_an_alias_used_many_times_is_no_more_than_what_it_stands_for() -> None:
    assert load_yaml("a: &a [1, 2]\nb: [*a, *a]\n", "file.yaml")["b"] == [[1, 2], [1, 2]]
