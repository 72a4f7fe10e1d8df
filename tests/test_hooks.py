"""The hooks of .pre-commit-config.yaml really run, and each finds its kind of bad file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.team import ROOT, git

NEEDED = (
    ".pre-commit-config.yaml",
    ".yamllint.yaml",
    ".checkov.yaml",
    "pyproject.toml",
    "scripts/setup",
    "scripts/setup-policy",
    "scripts/locked",
    "scripts/lint",
    "requirements/dev.txt",
    "requirements/policy.txt",
    "requirements/actionlint",
)
WORKFLOW = """name: One
on: push
permissions: {}
jobs:
  one:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: "true"
"""
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\n"
AWS_KEY = "AKIA" + "X7Q2ZPLMN4RSTVW6"
VALUE = "q8Zk2LmPq9R" + "tVw4Xy7BnHd5Fg"
PLANTED: tuple[tuple[str, str, str, str], ...] = (
    ("private-key", "key.txt", KEY, "Private key found: key.txt"),
    ("secrets", "a.yaml", f"key: {AWS_KEY}\n", "a.yaml:1: detect-secrets: looks like a secret"),
    ("large-file", "large.txt", "x" * 1_100_000 + "\n", "large.txt (1075 KB) exceeds 1000 KB"),
    ("merge-conflict", "a.txt", "<<<<<<< HEAD\n=======\n", "a.txt:1: Merge conflict string"),
    ("end-of-file", "a.txt", "no end", "Fixing a.txt"),
    ("ruff-check", "a.py", "import os\n", "F401"),
    ("ruff-format", "a.py", "x = [1,2]\n", "a.py"),
    ("yamllint", "a.yaml", "a:   1\n", "too many spaces after colon"),
    (
        "workflow-rules",
        ".github/workflows/one.yaml",
        WORKFLOW.replace('run: "true"', "uses: actions/cache@v6"),
        ".github/workflows/one.yaml:9: `uses: actions/cache@v6` is not pinned to a commit",
    ),
    (
        "workflow-schema",
        ".github/workflows/one.yaml",
        WORKFLOW.replace("timeout-minutes: 5", "timeout: 5"),
        "Schema validation errors were encountered",
    ),
    (
        "action-schema",
        ".github/actions/one/action.yaml",
        "name: one\nruns: {using: strange}\n",
        "Schema validation errors were encountered",
    ),
    (
        "zizmor",
        ".github/workflows/one.yaml",
        WORKFLOW.replace('run: "true"', "run: echo ${{ github.event.issue.title }}"),
        "template-injection",
    ),
    (
        "actionlint",
        ".github/workflows/one.yaml",
        WORKFLOW.replace('run: "true"', "run: echo ${{ github.nothing.of.this }}"),
        "one.yaml:9",
    ),
    ("hadolint", "one.Dockerfile", "FROM debian\n", "DL3006"),
    ("checkov-images", "one.Dockerfile", "FROM scratch\nUSER root\n", "CKV_DOCKER_8"),
    (
        "checkov",
        ".github/workflows/one.yaml",
        WORKFLOW.replace("permissions: {}", "permissions: write-all"),
        "CKV2_GHA_1",
    ),
)
SLOW = ("actionlint", "checkov", "checkov-images", "secrets")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the hooks alone."""
    for name in NEEDED:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, target)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


def hook(clone: Path, name: str) -> subprocess.CompletedProcess[str]:
    """One hook on all files of the clone, with the packages the tests run with."""
    git(clone, "add", "--all")
    return subprocess.run(
        ["scripts/lint", name],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "MLOPS_VENV": sys.prefix,
            "PRE_COMMIT_HOME": str(clone / ".git" / "pre-commit"),
            "PRE_COMMIT_COLOR": "never",
        },
    )


@pytest.mark.parametrize(
    ("name", "path", "content", "said"),
    [
        pytest.param(*each, marks=[pytest.mark.slow] if each[0] in SLOW else [], id=each[0])
        for each in PLANTED
    ],
)
def test_a_hook_refuses_its_kind_of_bad_file(
    clone: Path, name: str, path: str, content: str, said: str
) -> None:
    (clone / path).parent.mkdir(parents=True, exist_ok=True)
    (clone / path).write_text(content)
    done = hook(clone, name)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout


SECRETS = {
    "aws": (f'region = "eu"\nkey = "{AWS_KEY}"\n', 2, "AWS Access Key"),
    "private": (
        f"{KEY}{'MIIEpAIB' * 8}\n" + KEY.replace("BEGIN", "END"),
        2,
        "Private Key",
    ),
    "token": (f"serve:\n  api_token: {VALUE}\n", 2, "Secret Keyword"),
}


@pytest.mark.slow
def test_secrets_are_told_by_kind_and_place_and_never_by_value(clone: Path) -> None:
    for name, (content, _, _) in SECRETS.items():
        (clone / f"{name}.yaml").write_text(content)
    (clone / "pins.yaml").write_text(
        f"digest: sha256:{'0a1b2c3d' * 8}\ncommit: {'9f8e7d6c5b' * 4}\n"
    )
    said = hook(clone, "secrets").stdout
    for name, (_, line, kind) in SECRETS.items():
        (told,) = (each for each in said.splitlines() if each.startswith(f"{name}.yaml:"))
        assert told.startswith(f"{name}.yaml:{line}: detect-secrets: looks like a secret (")
        assert kind in told
    assert "pins.yaml" not in said
    assert AWS_KEY not in said
    assert VALUE not in said


def test_every_hook_but_the_type_checker_has_a_planted_file() -> None:
    from mlops.files import load_yaml

    text = (ROOT / ".pre-commit-config.yaml").read_text()
    (local,) = load_yaml(text, "hooks")["repos"]
    assert {each["id"] for each in local["hooks"]} - {"types"} == {each[0] for each in PLANTED}
