"""Where the project's files are read from: the work tree, or one commit of a repository."""

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Protocol

from mlops.git import Git

LEFT_OUT = frozenset({".git", ".venv", ".demo", ".mlops", "__pycache__", "node_modules"})


class Tree(Protocol):
    """Read access by relative POSIX path."""

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None when there is none."""
        ...

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of the files that there are, in the order given."""
        pairs = ((path, self.read(path)) for path in paths)
        return {path: content for path, content in pairs if content is not None}

    def names(self, folder: str) -> list[str]:
        """Names of the folders directly below a folder, sorted."""
        ...

    def files(self, folder: str) -> list[str]:
        """Paths (from the root) of all files below a folder, sorted."""
        ...


class WorkTree(Tree):
    """The files as they are on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        try:
            with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - for thousands
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def names(self, folder: str) -> list[str]:
        try:
            with os.scandir(self.root / folder) as entries:
                names = [entry.name for entry in entries if entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if name not in LEFT_OUT)

    def files(self, folder: str) -> list[str]:
        base = self.root / folder
        found = (path.relative_to(self.root) for path in base.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if not LEFT_OUT.intersection(path.parts))


class CommitTree(Tree):
    """The files of one commit; works on bare repositories and costs two git processes."""

    def __init__(self, git: Git, commit: str) -> None:
        self.git = git
        self.commit = commit

    @cached_property
    def _blobs(self) -> dict[str, str]:
        entries = self.git.names("ls-tree", "-r", "-z", self.commit)
        pairs = (entry.split("\t", 1) for entry in entries)
        return {path: head.split()[2] for head, path in pairs}

    def read(self, path: str) -> bytes | None:
        blob = self._blobs.get(path)
        return None if blob is None else self.git.run("cat-file", "blob", blob)

    def names(self, folder: str) -> list[str]:
        prefix = f"{folder}/"
        below = (path[len(prefix) :] for path in self._blobs if path.startswith(prefix))
        return sorted({rest.split("/", 1)[0] for rest in below if "/" in rest})

    def files(self, folder: str) -> list[str]:
        prefix = f"{folder}/"
        return sorted(path for path in self._blobs if path.startswith(prefix))

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of the files that there are, by one git process."""
        there = [path for path in paths if path in self._blobs]
        asked = "".join(f"{self._blobs[path]}\n" for path in there)
        output = self.git.run("cat-file", "--batch", stdin=asked.encode())
        found, start = {}, 0
        for path in there:  # each is `<id> blob <size>`, a line end, the content, a line end
            begin = output.index(b"\n", start) + 1
            end = begin + int(output[start:begin].split()[2])
            found[path] = output[begin:end]
            start = end + 1
        return found
