"""The forge of these tests."""

from tests.forges.fixtures import gitea

__all__ = ["gitea"]
