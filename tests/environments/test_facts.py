"""What a reviewer of an environment's change is told beside its rules."""

from datetime import UTC, datetime, timedelta

from mlops.environments.case import Case
from mlops.environments.facts import facts
from mlops.environments.kinds import Change, Kind
from mlops.environments.traffic import counted
from mlops.records import Record, append
from tests.environments.shelf import Shelf, shelf_of
from tests.team import Team

METRICS = """# HELP mlops_predict_requests_total Scoring requests answered.
# TYPE mlops_predict_requests_total counter
mlops_predict_requests_total{release="2",status="200"} 1234.0
mlops_predict_requests_total{release="2",status="422"} 5.0
mlops_predict_requests_total{release="2",status="500"} 1.0
mlops_predict_requests_total{release="1",status="200"} 7.0
"""


def told(team: Team, kind: Kind, environment: str, **later: int) -> dict[str, str]:
    """The facts of the newest commit, judged so long from now."""
    head = team.git("rev-parse", "HEAD")
    now = datetime.now(UTC) + timedelta(**later)
    case = Case(team.repo, f"{head}~1", head, Change(kind, environment, "toy"), now)
    return {fact.name: ("" if fact.good else "NO ") + fact.text for fact in facts(case)}


def promoted(team: Team) -> Shelf:
    """Release 1 everywhere, release 2 promoted to prod by the newest commit."""
    shelf = shelf_of(team)
    shelf.put(1, "dev", "staging", "prod")
    shelf.put(2, "dev", "staging", "prod")
    return shelf


def test_a_promotion_tells_age_freeze_and_the_way_back(team: Team) -> None:
    shelf = promoted(team)
    found = told(team, "promotion", "prod", days=3)
    assert found["age of the evidence"].startswith("3 d")
    assert found["age of the evidence"].endswith("prod accepts 30 d")
    assert found["freeze"] == "none today; none starts within 14 days"
    digest = shelf.made(1).release.bento.removeprefix("sha256:")[:12]
    assert found["way back"] == (
        f"mlops rollback toy --env prod --to 1; its bento {digest} is in the store"
    )


def test_what_a_rollback_withdraws_comes_back_with_a_reason_only(team: Team) -> None:
    promoted(team).revert()
    assert told(team, "rollback", "prod")["way back"].startswith(
        "mlops rollback toy --env prod --to 2 --reason TEXT; "
    )


def test_old_evidence_is_told_as_not_good(team: Team) -> None:
    promoted(team)
    assert told(team, "promotion", "prod", days=31)["age of the evidence"].startswith("NO 31 d")


def test_what_nobody_recorded_is_not_known(team: Team) -> None:
    promoted(team)
    found = told(team, "promotion", "prod")
    assert found["time served in staging"] == (
        "NO not known: no record says that staging serves release 2"
    )
    assert found["answers in staging"] == (
        "NO not known: no follower of staging runs here; see the environment's monitoring"
    )


def test_the_time_served_comes_from_the_records(team: Team) -> None:
    promoted(team)
    at = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    commit = team.git("rev-parse", "HEAD")
    record = Record(
        kind="serving", environment="staging", service="toy", release=2, at=at, commit=commit
    )
    append(team.repo.git, "origin", record)
    found = told(team, "promotion", "prod")
    assert found["time served in staging"].startswith("5 h")
    assert "confirmed since" in found["time served in staging"]


def test_a_freeze_that_applies_or_starts_soon_is_told(team: Team) -> None:
    promoted(team)
    today = datetime.now(UTC).date()
    env = team.root / "environments/prod/env.yaml"
    start, end = today + timedelta(days=3), today + timedelta(days=9)
    env.write_text(
        f"{env.read_text()}freeze:\n  - {{start: {start}, end: {end}, reason: the fair}}\n"
    )
    team.commit("The fair")
    soon = f"none today; the next is from {start} to {end}: the fair"
    assert told(team, "promotion", "prod")["freeze"] == soon
    text = env.read_text()
    env.write_text(text.replace("the fair", "the fair " * 900))
    team.commit("A novel")
    assert len(told(team, "promotion", "prod", days=4)["freeze"]) <= 1_003
    env.write_text(text)
    team.commit("Short again")
    during = f"until {end} nothing but a rollback enters: the fair"
    assert told(team, "promotion", "prod", days=4)["freeze"] == f"NO {during}"
    assert told(team, "rollback", "prod", days=4)["freeze"] == during


def test_a_way_back_that_nothing_here_shows_is_not_known(team: Team) -> None:
    shelf = promoted(team)
    name = shelf.made(1).release.bento.removeprefix("sha256:")
    (team.stores / "bentos" / "toy" / name / "bento.yaml").unlink()
    assert told(team, "promotion", "prod")["way back"].startswith(
        "NO not known: the bento of release 1 is not in the stores here"
    )


def test_taking_a_service_away_names_its_readers(team: Team) -> None:
    promoted(team)
    team.git("rm", "-r", "--quiet", "environments/prod/toy")
    team.commit("Remove")
    found = told(team, "remove", "prod")
    assert found["readers"] == "also serves in dev, staging"
    assert found["traffic in prod"].startswith("NO not known: no follower of prod runs here")


def test_a_first_release_has_no_way_back_but_a_revert(team: Team) -> None:
    shelf_of(team).put(1, "dev")
    found = told(team, "release", "dev")
    assert found["way back"] == (
        "nothing served here before: a revert takes the service away again"
    )


def test_counters_of_the_release_are_summed_by_what_was_answered() -> None:
    found = counted(METRICS, release=2, restarts=1)
    assert str(found) == (
        "1,240 requests answered since it started, 1 with an error of the service (0.08%), "
        "5 refused as wrong, its process ended by itself 1 times"
    )
    assert counted("", release=2).requests == 0
