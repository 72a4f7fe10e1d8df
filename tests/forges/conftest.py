"""The fixtures of these tests."""

from tests.forges.fixtures import gitea, gitea_stage, github_stage, stage

__all__ = ["gitea", "gitea_stage", "github_stage", "stage"]
