"""What is refused in a serving process is what its image does not hold."""

import re
from pathlib import Path

from mlops.serving.absent import ABSENT, OF_THE_LOG
from tests.team import ROOT

DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def pinned(file: Path) -> set[str]:
    return set(re.findall(r"(?m)^([a-z0-9-]+)==", file.read_text()))


def test_no_package_of_the_image_is_refused() -> None:
    served = pinned(ROOT / "requirements/serve.txt")
    assert OF_THE_LOG in served
    assert not {DISTRIBUTIONS.get(name, name) for name in ABSENT} & served
