"""`python -m mlops.follow.appending ENVIRONMENT URL`: waiting records go to the remote.

A process of its own, so that a remote that does not answer keeps no follower from ending.
"""

import sys

from mlops import records
from mlops.follow import confirmed
from mlops.follow.lifeline import run
from mlops.follow.places import Places
from mlops.git import Git
from mlops.repository import Repository


def append_pending(places: Places, url: str) -> int:
    """Append the records that wait, in their order, and return how many.

    Raises:
        BadInput: when the remote does not take them.
    """
    pending = confirmed.read(places.confirmed).pending
    for record in pending:
        records.append(Git(places.mirror), url, record)
    return len(pending)


def main() -> None:
    """Print how many were appended."""
    environment, url = sys.argv[1:]
    count = append_pending(Places.of(Repository.at().stores, environment), url)
    sys.stdout.write(str(count))


if __name__ == "__main__":
    run(main)
