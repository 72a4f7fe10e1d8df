"""Where the project's files are read from: the work tree, or one commit of a repository."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mlops.git import Git
from mlops.lineage import told

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

    def holds(self, folder: str) -> bool:
        """Whether there are files below a folder."""
        return bool(self.files(folder))

    def names(self, folder: str) -> list[str]:
        """Names of the folders directly below a folder, sorted."""
        ...

    def files(self, folder: str) -> list[str]:
        """Paths (from the root) of all files below a folder, sorted."""
        ...

    def read_each(self, folder: str, name: str) -> dict[str, bytes]:
        """The files of one name in the folders directly below a folder, by the folder's name."""
        paths = {f"{folder}/{each}/{name}": each for each in self.names(folder)}
        return {paths[path]: content for path, content in self.read_many(paths).items()}


class WorkTree(Tree):
    """The files as they are on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        try:
            with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - for thousands
                content = file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        told.read(f"{self.root}/{path}", content)
        return content

    def holds(self, folder: str) -> bool:
        try:
            return any(_below(f"{self.root}/{folder}", "x"))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def names(self, folder: str) -> list[str]:
        # An empty folder is nothing to Git.
        return [name for name in self._folders(folder) if self.holds(f"{folder}/{name}")]

    def read_each(self, folder: str, name: str) -> dict[str, bytes]:
        pairs = ((each, self.read(f"{folder}/{each}/{name}")) for each in self._folders(folder))
        return {each: content for each, content in pairs if content is not None}

    def files(self, folder: str) -> list[str]:
        try:
            return sorted(_below(f"{self.root}/{folder}", f"{folder}/"))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _folders(self, folder: str) -> list[str]:
        try:
            with os.scandir(self.root / folder) as entries:
                found = sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [name for name in found if name not in LEFT_OUT]


def _below(folder: str, shown: str) -> Iterator[str]:
    """The files below a folder, each after `shown`; links to folders are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in LEFT_OUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, f"{shown}{entry.name}/")
            elif entry.is_file():
                yield f"{shown}{entry.name}"


class Overlay(Tree):
    """A tree of which some files are given: as they are about to be, or as they were read at once.

    None stands for a file that is not there. Folders are listed as they are without these.
    """

    def __init__(self, tree: Tree, files: Mapping[str, bytes | None]) -> None:
        self._tree, self._files = tree, files

    def read(self, path: str) -> bytes | None:
        return self._files[path] if path in self._files else self._tree.read(path)

    def names(self, folder: str) -> list[str]:
        return self._tree.names(folder)

    def files(self, folder: str) -> list[str]:
        return self._tree.files(folder)


class CommitTree(Tree):
    """The files of one commit; works on bare repositories.

    Each question is a git process that looks at what is asked for: the rest of the commit, of
    any size, costs nothing.
    """

    def __init__(self, git: Git, commit: str) -> None:
        self.git = git
        self.commit = commit
        self._folders: dict[str, list[str]] = {}

    def read(self, path: str) -> bytes | None:
        if "\n" in path:
            return self.read_many([path]).get(path)
        content = self.git.contents([f"{self.commit}:{path}"])[0]
        if content is not None:
            told.read_in_commit(f"{self.git.root}/{path}", content)
        return content

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of the files that there are, by two git processes."""
        asked = list(paths)
        ids = self._ids(_common(asked)) if asked else {}
        there = [path for path in asked if path in ids]
        contents = self.git.contents([ids[path] for path in there])
        pairs = zip(there, contents, strict=True)
        found = {path: content for path, content in pairs if content is not None}
        for path, content in found.items():
            told.read_in_commit(f"{self.git.root}/{path}", content)
        return found

    def names(self, folder: str) -> list[str]:
        if folder not in self._folders:
            told = self._listed("-d", "--name-only", folder=folder)
            self._folders[folder] = sorted(path.rpartition("/")[2] for path in told)
        return list(self._folders[folder])

    def holds(self, folder: str) -> bool:
        parent, _, name = folder.rpartition("/")
        return name in self.names(parent)

    def files(self, folder: str) -> list[str]:
        return sorted(self._ids(folder))

    def _ids(self, folder: str) -> dict[str, str]:
        """The ids of all files below a folder (empty: the root), by path."""
        pairs = (entry.split("\t", 1) for entry in self._listed("-r", folder=folder))
        return {path: head.split()[2] for head, path in pairs}

    def _listed(self, *options: str, folder: str) -> list[str]:
        where = ("--", f"{folder}/") if folder else ()
        return self.git.names("--literal-pathspecs", "ls-tree", "-z", *options, self.commit, *where)


def _common(paths: Sequence[str]) -> str:
    """The deepest folder that holds all of the files; empty for the root."""
    return posixpath.commonprefix(paths).rpartition("/")[0]
