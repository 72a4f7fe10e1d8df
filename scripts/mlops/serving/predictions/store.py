"""Putting and getting files in a folder or in object storage, by one address."""

from pathlib import Path

from mlops.files import write_whole


class Store:
    """A folder (an absolute path), or an address that pyarrow knows: `s3://bucket/prefix`.

    Raises:
        OSError: when the address cannot be reached; so do the methods.
    """

    def __init__(self, address: str) -> None:
        from pyarrow.fs import FileSystem, LocalFileSystem

        found: tuple[FileSystem, str] = FileSystem.from_uri(address)
        self._files, self._base = found
        self._local = isinstance(self._files, LocalFileSystem)

    def put(self, path: str, content: bytes) -> None:
        """Write a file that is there whole or not at all.

        Raises:
            BadInput: when the folder refuses.
        """
        whole = f"{self._base.rstrip('/')}/{path}"
        if self._local:
            write_whole(Path(whole), content)
            return
        with self._files.open_output_stream(whole) as stream:
            stream.write(content)

    def get(self, path: str) -> bytes:
        """A file's bytes."""
        with self._files.open_input_file(f"{self._base.rstrip('/')}/{path}") as stream:
            content: bytes = stream.readall()
        return content

    def names(self, folder: str) -> list[str]:
        """The files of a folder; none when there is none."""
        from pyarrow.fs import FileSelector, FileType

        whole = f"{self._base.rstrip('/')}/{folder}"
        found = self._files.get_file_info(FileSelector(whole, allow_not_found=True))
        return sorted(one.base_name for one in found if one.type == FileType.File)
