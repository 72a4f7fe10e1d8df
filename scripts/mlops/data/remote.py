"""The DVC remote of a clone: where the content of versions lies for everybody."""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mlops.errors import NotHere, Problem
from mlops.repository import Repository

REMOTE = "stores"
"""Name of the DVC remote; options for it (credentials) may stand in .dvc/config.local."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of writing here, not of reading there."""


@dataclass
class Remote:
    """The DVC remote of a clone: an object store below `stores`, or the one mlops.toml names."""

    repo: Repository

    def __enter__(self) -> "Remote":
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        root = str(self.repo.root)
        try:
            self._dvc: Any = Repo(root, uninitialized=True, config=self._config())
            self._objects: Any = self._dvc.cloud.get_remote_odb(REMOTE)
        except (DvcException, ImportError) as error:  # the latter: no such kind of storage here
            raise self._unusable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._dvc.close()

    @property
    def url(self) -> str:
        """Where it is, as a person would write it in mlops.toml."""
        return self.repo.project.stores.data or self.repo.shown(self.repo.stores / "dvc")

    @property
    def _address(self) -> str:
        url = self.repo.project.stores.data
        if url is not None and "://" in url:
            return url
        return str(self.repo.root / url if url else self.repo.stores / "dvc")

    @property
    def is_missing(self) -> bool:
        """Whether it is the embedded one and was never made; known without loading DVC."""
        return self.repo.project.stores.data is None and not Path(self._address).exists()

    def _unusable(self, error: Exception) -> NotHere:
        what = f"cannot be used as DVC remote ({error})"
        fix = "correct it, or `data` below [stores] in mlops.toml"
        return NotHere(Problem(self.url, what, fix))

    def _config(self) -> dict[str, Any]:
        # `no_scm`: DVC leaves Git alone.
        quiet = {"no_scm": True, "analytics": False, "check_update": False}
        site = str(self.repo.stores / "dvc-index")
        return {
            "core": {**quiet, "site_cache_dir": site},
            "remote": {REMOTE: {"url": self._address}},
        }

    def download(self, md5: str, file: BinaryIO) -> bool:
        """Write an object's content to a file; False when the remote lacks it.

        Raises:
            NotHere: when the remote cannot be read (credentials, network).
            OSError: when the disk of this machine is full.
        """
        if not self.holds(md5):
            return False
        try:
            with self._objects.fs.open(self._objects.oid_to_path(md5), "rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
        except Exception as error:  # each kind of storage has errors of its own
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            raise self._unusable(error) from error
        return True

    def place(self, md5: str) -> str:
        """Where the object of an MD5 lies, or would: a path, or an address without its scheme."""
        return str(self._objects.oid_to_path(md5))

    def holds(self, md5: str) -> bool:
        """Whether the remote has an object; raises like `download`."""
        # DVC's `exists` says no for a web server that does not answer; reading tells the two apart.
        try:
            self._objects.fs.cat_file(self._objects.oid_to_path(md5), start=0, end=1)
        except FileNotFoundError:
            return False
        except Exception as error:  # each kind of storage has errors of its own
            raise self._unusable(error) from error
        return True

    def push(self, path: Path, md5: str) -> None:
        """Put a file into the remote under its MD5; nothing is sent when it is there."""
        from dvc.fs import localfs

        try:
            self._objects.add(str(path), localfs, md5)
        except OSError as error:
            raise self._unusable(error) from error

    def remember(self) -> None:
        """Write the remote to .dvc/config.local (ignored by Git), so that `dvc pull` works."""
        folder = self.repo.root / ".dvc"
        if not folder.is_dir():
            return
        from dvc.config import Config

        config = Config(str(folder), validate=False)
        with config.edit("local") as local:
            local.setdefault("core", {}).setdefault("remote", REMOTE)
            local.setdefault("remote", {}).setdefault(REMOTE, {}).setdefault("url", self._address)
