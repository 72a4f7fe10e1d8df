"""Prometheus' own programs, from Debian's package where they are not installed."""

import shutil
import subprocess
from pathlib import Path


def program(name: str, folder: Path) -> str:
    """Path of `prometheus` or `promtool`.

    Args:
        folder: where the package is unpacked when it is needed.

    Raises:
        CalledProcessError: when it is not here and cannot be had.
    """
    if found := shutil.which(name):
        return found
    downloads = folder / "package"
    downloads.mkdir()
    quiet = ("-qq", "-o", "APT::Sandbox::User=root")
    subprocess.run(["apt-get", "download", *quiet, "prometheus"], cwd=downloads, check=True)
    (package,) = downloads.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(downloads)], check=True)
    return str(downloads / "usr/bin" / name)
