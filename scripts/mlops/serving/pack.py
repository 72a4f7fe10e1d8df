"""`python -m mlops.serving.pack NAME VERSION ENTRY`: the current folder as a bento.

Run in the folder that becomes the bento's source, so that BentoML reads the service with
the code it will be served with. Prints the bento's folder below BENTOML_HOME.
"""

import importlib
import sys
from pathlib import Path

from mlops.serving import absent


def main(name: str, version: str, entry: str) -> None:
    """Build with BentoML; packages are pinned already, so it resolves nothing."""
    absent.refuse()
    # Imported here first: BentoML's own message hides the cause.
    importlib.import_module(entry.partition(":")[0])
    import bentoml

    # As a text: BentoML takes no requirements file below a folder with a hidden name.
    requirements = Path("requirements.txt").read_text()
    bento = bentoml.build(
        entry,
        name=name,
        version=version,
        build_ctx=str(Path.cwd()),
        include=["*"],
        exclude=["requirements.txt"],
        python={"packages": [requirements], "lock_packages": False},
        docker={"python_version": "3.11"},
    )
    sys.stdout.write(f"{bento.path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
