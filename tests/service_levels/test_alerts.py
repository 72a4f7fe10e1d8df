"""Alert rules: rendered from the contracts, held current, and read by Prometheus' own program."""

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from mlops.data.ingest import ingest
from mlops.errors import Exit
from mlops.repository import Layout, Repository
from mlops.service_levels import alerts
from mlops.service_levels.assessment import assess
from mlops.service_levels.exposition import exposition
from mlops.tree import Overlay, WorkTree
from tests.prometheus import program
from tests.service_levels.test_status import (
    CONTRACT,
    FEBRUARY,
    JANUARY,
    LEVELS,
    promise,
    quarantined,
)
from tests.team import ROOT, Team

HOSTILE = "{{ .Labels }} \" ' \\ {{ end"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        return program("promtool", tmp_path_factory.mktemp("prometheus"))
    except (OSError, subprocess.CalledProcessError):
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("Debian's package prometheus cannot be had here")


def checked(promtool: str, *arguments: str, given: str | None = None) -> None:
    done = subprocess.run(
        [promtool, *arguments], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rules(text: str | None) -> dict[str, dict[str, Any]]:
    """The rules of the first dataset."""
    assert text is not None
    group = yaml.safe_load(text)["groups"][0]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_the_projects_own_rules_are_current() -> None:
    assert alerts.stale(Repository.at(ROOT)) == {}


def test_a_dataset_that_promises_nothing_has_no_rules(team: Team) -> None:
    assert alerts.expected(team.repo) is None


def test_only_what_is_promised_is_alerted(team: Team) -> None:
    promise(team, "slaProperties: [{property: retention, value: 1, unit: y}]\n")
    assert set(rules(alerts.expected(team.repo))) == {
        "DatasetVersionsLost", "DatasetInvalid", "DatasetBatchWaits", "DatasetNotLookedAt",
    }  # fmt: skip


def test_of_a_retired_dataset_there_are_no_rules(team: Team) -> None:
    promise(team, LEVELS)
    text = (team.root / CONTRACT).read_text().replace("status: active", "status: retired")
    team.write(CONTRACT, text)
    assert alerts.expected(team.repo) is None


@pytest.mark.parametrize(
    ("forge", "page"),
    [
        ({"kind": "local"}, ""),
        ({"kind": "github", "repository": "a/b"}, "https://github.com/a/b/blob/main/"),
        (
            {"kind": "gitea", "repository": "a/b", "url": "https://git.example.com/"},
            "https://git.example.com/a/b/src/branch/main/",
        ),
    ],
)
def test_an_alert_links_to_the_section_that_says_what_to_do(
    forge: dict[str, str], page: str
) -> None:
    text = (ROOT / "mlops.toml").read_text().partition("[forge]")
    said = "".join(f'{key} = "{value}"\n' for key, value in forge.items())
    rest = text[2][text[2].index("\n# The path of a promotion") :]
    over = {"mlops.toml": f"{text[0]}[forge]\n{said}{rest}".encode()}
    found = rules(alerts.expected(Layout(Overlay(WorkTree(ROOT), over))))
    headings = (ROOT / alerts.RUNBOOK).read_text().splitlines()
    for name, rule in found.items():
        assert rule["annotations"]["runbook_url"] == f"{page}{alerts.RUNBOOK}#{name.lower()}"
        assert f"### {name}" in headings


def test_rules_edited_by_hand_are_refused_and_rendered_anew(team: Team) -> None:
    promise(team, LEVELS)
    assert team.mlops("render").returncode == Exit.DONE
    team.commit("Promises")
    team.write(alerts.PATH, "groups: []\n")
    found = team.mlops("render", "--check")
    assert found.returncode == Exit.NOT_GOOD
    assert found.stderr == (
        "infra/monitoring/datasets.yaml: is not what the contracts and mlops.toml render to; "
        "run `mlops render` and commit the result, never edit it by hand\n"
    )
    team.mlops("render")
    assert team.repo.git.uncommitted() == []
    promise(team, "")
    assert "removed infra/monitoring/datasets.yaml" in team.mlops("render").stdout


@pytest.mark.slow
def test_a_pull_request_that_leaves_the_rules_behind_is_refused(team: Team) -> None:
    team.git("switch", "--quiet", "--create", "promises")
    promise(team, LEVELS)
    team.commit("Promises")
    found = team.mlops("check", "--base", "origin/main", "--part", "policy")
    assert found.returncode == Exit.NOT_GOOD
    assert "infra/monitoring/datasets.yaml: is not what" in found.stdout + found.stderr


@pytest.mark.slow
def test_prometheus_reads_the_rules_whatever_the_contract_says(team: Team, promtool: str) -> None:
    checked(promtool, "check", "rules", str(ROOT / alerts.PATH))
    promise(team, LEVELS)
    text = (team.root / CONTRACT).read_text().replace("name: Toys", f"name: {json.dumps(HOSTILE)}")
    team.write(CONTRACT, text)
    team.write(alerts.PATH, alerts.expected(team.repo) or "")
    checked(promtool, "check", "rules", str(team.root / alerts.PATH))


def series(text: str, days: int) -> list[dict[str, str]]:
    """Samples as they stand in the file, one a day from the beginning of Unix time."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return [{"series": name, "values": f"{value}x{days}"} for name, _, value in lines]


@pytest.mark.slow
def test_alerts_fire_for_what_the_status_command_wrote(team: Team, promtool: str) -> None:
    promise(team, LEVELS)
    text = (team.root / CONTRACT).read_text().replace("name: Toys", f"name: {json.dumps(HOSTILE)}")
    team.write(CONTRACT, text)
    ingest(team.repo, "toy-points", [team.root / JANUARY, team.root / FEBRUARY])
    quarantined(team)
    team.write(alerts.PATH, alerts.expected(team.repo) or "")
    now = datetime(2024, 4, 2, tzinfo=UTC)
    written = exposition([assess(team.repo, "toy-points", now=now)], now)
    checked(promtool, "check", "metrics", given=written)
    today = int(now.timestamp()) // DAY
    fired = {  # what was written once: the day it was, and as time goes on
        today: {"DatasetBatchWaits"},
        today + 3: {"DatasetBatchWaits", "DatasetLate"},
    }
    expected = [
        {
            "eval_time": f"{day}d",
            "alertname": name,
            "exp_alerts": [_told(team, name)] if name in names else [],
        }
        for day, names in fired.items()
        for name in ("DatasetLate", "DatasetBatchWaits", "DatasetInvalid", "DatasetIncomplete")
    ]
    silent = {"eval_time": f"{today + 5}d", "alertname": "DatasetNotLookedAt"}
    one = {
        "interval": "1d",
        "input_series": series(written, today + 10),
        "alert_rule_test": [
            *expected,
            {**silent, "eval_time": f"{today}d", "exp_alerts": []},
            {**silent, "exp_alerts": [_told(team, "DatasetNotLookedAt")]},
        ],
    }
    whole = {"rule_files": [alerts.PATH], "evaluation_interval": "1d", "tests": [one]}
    team.write("alerts.test.yaml", yaml.safe_dump(whole))
    checked(promtool, "test", "rules", str(team.root / "alerts.test.yaml"))


def _told(team: Team, name: str) -> dict[str, Any]:
    """An alert as people get it: the contract's words as they stand there."""
    rule = rules((team.root / alerts.PATH).read_text())[name]
    values = {
        "DatasetLate": "{{ $value | humanizeTimestamp }}",
        "DatasetBatchWaits": "{{ $value }}",
    }
    shown = {"DatasetLate": "2024-04-04 00:00:00 +0000 UTC", "DatasetBatchWaits": "1"}
    summary = rule["annotations"]["summary"]
    if name in values:
        summary = summary.replace(values[name], shown[name])
    who = f"{HOSTILE} (toys@example.com)"
    annotations = {
        **rule["annotations"],
        "summary": summary,
        "description": f"Tell {who}, toys https://example.com/toys. "
        "`mlops data status toy-points` says more.",
    }
    return {"exp_labels": {**rule["labels"], "team": HOSTILE}, "exp_annotations": annotations}
