"""Git, as argument lists to the real `git`; commits are made without touching the work tree."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import bad_input

MISSING = "0" * 40
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files, which Git knows everywhere: what a first commit is compared with."""

DIFFERING = ("diff", "--name-only", "--no-renames", "-z")
UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard")


class GitFailed(Exception):
    """`git` exited with an error; `text` is what it said."""

    def __init__(self, args: tuple[str, ...], text: str) -> None:
        self.text = text.strip()
        super().__init__(f"git {' '.join(args)}: {self.text}")


@dataclass(frozen=True)
class Change:
    """One change of a file on the first-parent history.

    Attributes:
        commit: the commit that made it (a merge commit stands for all it merged).
        at: when it was committed, ISO 8601 with the committer's offset.
        author: name of its author.
        subject: first line of its message.
        content: the file's bytes from then on; None when it was removed.
    """

    commit: str
    at: str
    author: str
    subject: str
    content: bytes | None


@dataclass(frozen=True)
class Git:
    """A repository (a clone or a bare one) on this machine."""

    root: Path

    def run(
        self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Output of one git command.

        Raises:
            GitFailed: when git exits with an error.
        """
        done = subprocess.run(
            ["git", *args],
            cwd=self.root,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})},
            check=False,
        )
        if done.returncode != 0:
            raise GitFailed(args, done.stderr.decode(errors="replace"))
        return done.stdout

    def text(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Output as text, without the last line end."""
        return self.run(*args, env=env).decode().rstrip("\n")

    def names(self, *args: str) -> list[str]:
        """Output of a command that was asked for NUL-separated names (`-z`).

        Bytes that are not UTF-8 become surrogates, as in all of Python's file names.
        """
        output = self.run(*args).decode(errors="surrogateescape")
        return [name for name in output.split("\0") if name]

    def commit_of(self, revision: str) -> str | None:
        """The commit that a revision names, or None."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        except GitFailed:
            return None

    def head(self) -> str:
        """The commit checked out.

        Raises:
            BadInput: in a repository without a commit.
        """
        commit = self.commit_of("HEAD")
        if commit is None:
            raise bad_input(self.root, "has no commit yet", "commit something first")
        return commit

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit both have in their history, or None."""
        try:
            return self.text("merge-base", one, other)
        except GitFailed:
            return None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is `newer` or in its history."""
        return self.merge_base(older, newer) == self.commit_of(older)

    def changed(self, base: str, head: str) -> list[str]:
        """Paths that differ between two commits; a rename is one removal and one addition."""
        return self.names(*DIFFERING, base, head)

    def differing(self, base: str, uncommitted: Iterable[str]) -> list[str]:
        """Paths that differ between a commit and the work tree, sorted.

        Args:
            base: the commit.
            uncommitted: those that differ from HEAD, see `uncommitted`.
        """
        pending, committed = set(uncommitted), set(self.changed(base, "HEAD"))
        both = pending & committed  # the work tree may have them as they were at the base
        undone = both.difference(self.names(*DIFFERING, base)) if both else set()
        return sorted((pending | committed) - undone)

    def contents(self, names: Sequence[str]) -> list[bytes | None]:
        """Content of each file named `<commit>:<path>` or by its id, by one process.

        None stands for what is not there or is no file. A path with a line end in it cannot be
        asked for in this way; its id can.
        """
        asked = "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")
        told = self.run("cat-file", "--batch", stdin=asked) if names else b""
        found: list[bytes | None] = []
        start = 0
        for _ in names:  # `<id> <type> <size>`, a line end, the content, a line end
            begin = told.index(b"\n", start) + 1
            head = told[start:begin].split()
            there = head[-1] != b"missing"
            end = begin + int(head[-1]) if there else begin
            found.append(told[begin:end] if there and head[-2] == b"blob" else None)
            start = end + 1 if there else end
        return found

    def changes(self, ref: str, path: str) -> list[Change]:
        """Every change of a file, oldest first, by two processes.

        Args:
            ref: whose history; first parents only, so a merged branch is one change.
            path: of the file, taken as it is.
        """
        # Without simplification by content: each commit that changed the path, in order.
        told = self.names(
            "--literal-pathspecs", "log", "--first-parent", "--reverse", "-z",
            "--format=%H%x01%cI%x01%an%x01%s", ref, "--", path,
        )  # fmt: skip
        commits = [line.split("\x01", 3) for line in told]
        found = self.contents([f"{commit[0]}:{path}" for commit in commits])
        return [
            Change(commit, at, author, subject, content)
            for (commit, at, author, subject), content in zip(commits, found, strict=True)
        ]

    def is_shallow(self) -> bool:
        """Whether the clone lacks the older part of its history."""
        return self.text("rev-parse", "--is-shallow-repository") == "true"

    def uncommitted(self, *paths: str) -> list[str]:
        """Paths that differ between HEAD and the work tree, untracked ones not ignored too.

        Args:
            paths: files and folders to look at; none of them looks at the whole work tree.
        """
        from concurrent.futures import ThreadPoolExecutor

        where = ("--", *(f":(top,literal){path}" for path in paths))
        with ThreadPoolExecutor(2) as both:  # each looks at every file: a core for each
            tracked = both.submit(self.names, *DIFFERING, "HEAD", *where)
            new = both.submit(self.names, *UNTRACKED, *where)
        return sorted({*tracked.result(), *new.result()})

    def branch(self) -> str | None:
        """The branch checked out, or None when HEAD is detached."""
        try:
            return self.text("symbolic-ref", "--quiet", "--short", "HEAD")
        except GitFailed:
            return None

    def commit_files(self, parent: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """A commit on `parent` with files written (bytes) or removed (None); no ref moves.

        Work tree and index stay as they are, so a kill leaves nothing half done.
        """
        with tempfile.TemporaryDirectory(prefix="mlops-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.run("read-tree", parent, env=env)
            lines = [self._index_line(path, content) for path, content in changes.items()]
            self.run("update-index", "-z", "--index-info", stdin=b"".join(lines), env=env)
            tree = self.text("write-tree", env=env)
        return self.text("commit-tree", tree, "-p", parent, "-m", message)

    def _index_line(self, path: str, content: bytes | None) -> bytes:
        if content is None:
            return f"0 {MISSING}\t{path}\0".encode(errors="surrogateescape")
        blob = self.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        return f"100644 {blob}\t{path}\0".encode(errors="surrogateescape")

    def set_branch(self, name: str, commit: str, expected: str = MISSING) -> None:
        """Point a branch at a commit, only if it now is at `expected` (default: absent)."""
        self.run("update-ref", f"refs/heads/{name}", commit, expected)
