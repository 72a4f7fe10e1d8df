"""The rules of each kind of change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mlops import bento, digests
from mlops.commands.render import render
from mlops.environments.rules import Verdict, check_change
from mlops.errors import BadInput
from mlops.records import Record, append
from mlops.specs.release import Release
from tests.releases import Made, files_of, make_decision, make_release
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
SETTINGS = "environments/{}/toy/settings.yaml"


def made_at(team: Team, number: int = 1, **differing: object) -> Made:
    """A release without models, of the commit checked out: nothing has to be scored."""
    chosen: dict[str, object] = {"commit": team.git("rev-parse", "HEAD"), "bare": True}
    return make_release(number, **{**chosen, **differing})  # type: ignore[arg-type]  # as given


def put(
    team: Team,
    made: Made,
    environment: str,
    *,
    champion: Release | None = None,
    kind: str | None = None,
    reason: str | None = None,
    push: bool = False,
) -> None:
    """Commit the release in an environment, rendered, as the tool would."""
    previous = {"dev": None, "staging": "dev", "prod": "staging"}[environment]
    decision = make_decision(
        made,
        environment,
        kind=kind or ("promotion" if previous else "release"),
        came_from=previous,
        champion=champion,
        reason=reason,
    )
    for path, content in files_of(made, environment, decision).items():
        team.write(path, content)
    commit(team, f"{decision.kind} {made.release.release} in {environment}", push=push)


def commit(team: Team, message: str, *, push: bool = False) -> None:
    """Render all and commit; with `push` it becomes the base of what follows."""
    render(team.repo, as_json=True)
    team.commit(message, push=push)
    team.git("fetch", "--quiet", "origin")


def judged(team: Team, now: datetime | None = None) -> Verdict:
    return check_change(team.repo, "origin/main", "HEAD", now=now)


def said(verdict: Verdict) -> str:
    return "".join(f"{problem}\n" for problem in verdict.problems)


def path_of_dev_to_prod(team: Team, made: Made, *places: str) -> None:
    for place in places:
        put(team, made, place, push=True)


def store_bento(team: Team, words: str) -> str:
    """A folder in the bento store under its own digest."""
    folder = team.stores / "bentos" / "toy" / "new"
    folder.mkdir(parents=True)
    (folder / "bento.yaml").write_text(words)
    digest = bento.content_digest(folder)
    folder.rename(folder.parent / digest.removeprefix("sha256:"))
    return digest


def failed(verdict: Verdict) -> list[str]:
    return [check.gate for check in verdict.checks if not check.passed]


# What is good


def test_a_change_elsewhere_has_no_checks(team: Team) -> None:
    team.write("README.md", "words\n")
    team.commit("Words", push=False)
    assert judged(team) == Verdict(None)


def test_a_release_to_the_first_environment_is_good(team: Team) -> None:
    put(team, make_release(commit=team.git("rev-parse", "HEAD"), image=True), "dev")
    verdict = judged(team)
    assert said(verdict) == ""
    assert verdict.kind == "release"
    assert all(check.passed for check in verdict.checks)


def test_a_promotion_of_what_the_previous_environment_holds_is_good(team: Team) -> None:
    made = made_at(team, image=True)
    path_of_dev_to_prod(team, made, "dev", "staging")
    put(team, made, "prod")
    verdict = judged(team)
    assert said(verdict) == ""
    assert verdict.kind == "promotion"


def test_a_plain_revert_of_the_newest_promotion_is_a_good_rollback(team: Team) -> None:
    one = made_at(team, 1, bento=store_bento(team, "one"), image=True)
    two = made_at(team, 2, bento=store_bento(team, "two"), image=True)
    path_of_dev_to_prod(team, one, "dev")
    put(team, two, "dev", champion=one.release, push=True)
    team.git("revert", "--no-edit", "HEAD")
    verdict = judged(team)
    assert said(verdict) == ""
    assert verdict.kind == "rollback"
    assert team.repo.release("dev", "toy") == one.release


def test_a_revert_of_the_first_release_takes_the_service_away(team: Team) -> None:
    put(team, made_at(team), "dev", push=True)
    team.git("revert", "--no-edit", "HEAD")
    verdict = judged(team)
    assert said(verdict) == ""
    assert verdict.kind == "remove"


def test_settings_and_base_are_good_when_rendered(team: Team) -> None:
    put(team, made_at(team, image=True), "dev", push=True)
    team.write(SETTINGS.format("dev"), "service: toy\nlocal_port: 18301\nhosts: [a.example.com]\n")
    commit(team, "A host", push=False)
    verdict = judged(team)
    assert (verdict.kind, said(verdict)) == ("settings", "")
    team.git("push", "--quiet", "origin", "HEAD")
    head = team.git("rev-parse", "HEAD")
    env = (team.root / "environments/dev/env.yaml").read_text()
    team.write("environments/dev/env.yaml", f"{env}base_floor: '{head}'\n")
    commit(team, "Raise the base", push=False)
    verdict = judged(team)
    assert (verdict.kind, said(verdict)) == ("base", "")


def test_an_environments_rules_may_change(team: Team) -> None:
    env = (team.root / "environments/dev/env.yaml").read_text()
    team.write("environments/dev/env.yaml", f"{env}soak: PT1H\n")
    commit(team, "Soak")
    verdict = judged(team)
    assert (verdict.kind, said(verdict)) == ("environment", "")


def test_an_environments_rules_are_judged_without_the_services_they_do_not_render(
    team: Team,
) -> None:
    put(team, make_release(commit=team.git("rev-parse", "HEAD"), image=True), "dev", push=True)
    path, manifests = team.root / "environments/dev/env.yaml", "environments/dev/toy/manifests.yaml"
    rendered, rules = (team.root / manifests).read_text(), path.read_text()
    team.write(manifests, f"{rendered}# by hand, merged by force\n")
    team.commit("By hand")
    team.git("fetch", "--quiet", "origin")
    path.write_text(f"{rules}soak: PT1H\n")
    team.commit("Rules", push=False)
    assert said(judged(team)) == ""
    team.write(manifests, f"{rendered}# by hand again\n")
    team.commit("By hand", push=False)
    assert f"{manifests}: is not what the files beside it render to" in said(judged(team))
    team.git("reset", "--hard", "--quiet", "origin/main")
    path.write_text(rules.replace("namespace: ", "namespace: other-"))
    team.commit("Namespace", push=False)
    assert f"{manifests}: is not what the files beside it render to" in said(judged(team))


# What is refused: each has a folder with the exact message


def skips_environment(team: Team) -> Verdict:
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "prod")
    return judged(team)


def touches_two_services(team: Team) -> Verdict:
    put(team, made_at(team), "dev")
    team.write("environments/dev/other/settings.yaml", "service: other\nlocal_port: 18309\n")
    commit(team, "And another")
    return judged(team)


def touches_two_environments(team: Team) -> Verdict:
    made = made_at(team)
    put(team, made, "dev")
    put(team, made, "staging")
    return judged(team)


def names_something_mutable(team: Team) -> Verdict:
    made = made_at(team, bare=False, image=True)
    put(team, made, "dev")
    path = team.root / "environments/dev/toy/release.yaml"
    text = path.read_text().replace(made.release.bento, "toy:latest")
    text = text.replace(made.release.models[0].digest, "models:/toy-line@champion")
    assert made.release.image
    text = text.replace(made.release.image.digest, "prod-latest")
    text = text.replace(made.release.source.commit, "main")
    path.write_text(text.replace("name: toy\n", "name: toy:latest\n"))
    team.commit("By name", push=False)
    return judged(team)


def names_a_registry_host(team: Team) -> Verdict:
    made = made_at(team, image=True)
    assert made.release.image
    image = made.release.image.model_copy(update={"name": "registry.example.com/toy"})
    put(team, Made(made.release.model_copy(update={"image": image}), made.evidence), "dev")
    return judged(team)


def edits_manifests_by_hand(team: Team) -> Verdict:
    put(team, made_at(team, image=True), "dev", push=True)
    path = team.root / "environments/dev/toy/manifests.yaml"
    path.write_text(path.read_text().replace("memory: 512Mi", "memory: 8Gi"))
    team.commit("More memory", push=False)
    return judged(team)


def bytes_differ_from_previous(team: Team) -> Verdict:
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "staging")
    path = team.root / "environments/staging/toy/release.yaml"
    path.write_text(path.read_text() + "# looked at\n")
    team.commit("A comment", push=False)
    return judged(team)


def unknown_to_previous(team: Team) -> Verdict:
    put(team, made_at(team, 4), "staging")
    return judged(team)


def evidence_hash_differs(team: Team) -> Verdict:
    made = made_at(team, bare=False)
    put(team, made, "dev")
    team.write(made.evidence_file, made.evidence_text.replace('"failed":0', '"failed":1'))
    team.commit("A correction", push=False)
    return judged(team)


def evidence_missing(team: Team) -> Verdict:
    made = made_at(team)
    put(team, made, "dev")
    (team.root / made.evidence_file).unlink()
    team.commit("Without it", push=False)
    return judged(team)


def evidence_disagrees(team: Team) -> Verdict:
    made = made_at(team, bare=False)
    metrics = made.release.evidence.model_copy(update={"metrics": {"toy-line.mae": 0.5}})
    put(team, Made(made.release.model_copy(update={"evidence": metrics}), made.evidence), "dev")
    return judged(team)


def gate_failed(team: Team) -> Verdict:
    put(team, made_at(team, bare=False, gates_passed=False, mae=9.0), "dev")
    return judged(team)


def number_not_newer(team: Team) -> Verdict:
    one = made_at(team, 3)
    put(team, one, "dev", push=True)
    put(team, made_at(team, 3, source_tree=digests.of_bytes(b"other")), "dev", champion=one.release)
    return judged(team)


def decision_disagrees(team: Team) -> Verdict:
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "staging", champion=made_at(team, 9).release)
    path = team.root / "environments/staging/toy/decision.yaml"
    path.write_text(path.read_text().replace("came_from: dev", "came_from: prod"))
    team.commit("From elsewhere", push=False)
    return judged(team)


def evidence_too_old(team: Team) -> Verdict:
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "staging")
    return judged(team, datetime.now(UTC) + timedelta(days=41))


def frozen(team: Team) -> Verdict:
    env = (team.root / "environments/staging/env.yaml").read_text()
    window = "freeze: [{start: 2031-12-20, end: 2032-01-02, reason: holidays}]\n"
    team.write("environments/staging/env.yaml", f"{env}{window}evidence_max_age: P9999D\n")
    commit(team, "Holidays", push=True)
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "staging")
    assert failed(judged(team, datetime(2032, 1, 3, tzinfo=UTC))) == []
    return judged(team, datetime(2032, 1, 2, 23, tzinfo=UTC))


def never_confirmed_serving(team: Team) -> Verdict:
    made = soaking(team)
    put(team, made, "staging")
    return judged(team)


def soaking(team: Team) -> Made:
    env = (team.root / "environments/staging/env.yaml").read_text()
    team.write("environments/staging/env.yaml", f"{env}soak: PT2H\n")
    commit(team, "Soak", push=True)
    made = made_at(team)
    path_of_dev_to_prod(team, made, "dev")
    return made


def comparison_not_evaluated(team: Team) -> Verdict:
    made = made_at(team, bare=False)
    path_of_dev_to_prod(team, made, "dev")
    put(team, made, "staging")
    return judged(team)


def rollback_to_what_never_was(team: Team) -> Verdict:
    two = made_at(team, 2, bento=store_bento(team, "two"))
    put(team, two, "dev", push=True)
    put(team, made_at(team, 1, bento=two.release.bento), "dev", kind="rollback")
    return judged(team)


def rollback_without_artifacts(team: Team) -> Verdict:
    one, two = made_at(team, 1), made_at(team, 2)
    put(team, one, "dev", push=True)
    put(team, two, "dev", champion=one.release, push=True)
    team.git("revert", "--no-edit", "HEAD")
    return judged(team)


def rollback_after_other_settings(team: Team) -> Verdict:
    one = made_at(team, 1, bento=store_bento(team, "one"), image=True)
    two = made_at(team, 2, bento=store_bento(team, "two"), image=True)
    put(team, one, "dev", push=True)
    rendered = (team.root / "environments/dev/toy/manifests.yaml").read_text()
    put(team, two, "dev", champion=one.release, push=True)
    team.write(SETTINGS.format("dev"), "service: toy\nlocal_port: 18301\nhosts: [a.example.com]\n")
    commit(team, "A host", push=True)
    put(team, one, "dev", kind="rollback")
    team.write("environments/dev/toy/manifests.yaml", rendered)
    team.commit("As it was rendered then", push=False)
    return judged(team)


REFUSED: dict[str, Callable[[Team], Verdict]] = {
    f"change-{case.__name__.replace('_', '-')}": case
    for case in (
        skips_environment,
        touches_two_services,
        touches_two_environments,
        names_a_registry_host,
        edits_manifests_by_hand,
        bytes_differ_from_previous,
        unknown_to_previous,
        evidence_hash_differs,
        evidence_missing,
        evidence_disagrees,
        gate_failed,
        number_not_newer,
        decision_disagrees,
        evidence_too_old,
        frozen,
        never_confirmed_serving,
        comparison_not_evaluated,
        rollback_to_what_never_was,
        rollback_without_artifacts,
        rollback_after_other_settings,
    )
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_change_is_refused_with_exactly_its_reason(team: Team, reason: str) -> None:
    verdict = REFUSED[reason](team)
    assert said(verdict) == (INVALID / reason / "message.txt").read_text()
    assert failed(verdict)


def test_a_release_that_names_something_mutable_is_refused_with_each_name(team: Team) -> None:
    with pytest.raises(BadInput) as refused:
        names_something_mutable(team)
    message = INVALID / "change-names-something-mutable" / "message.txt"
    assert f"{refused.value}\n" == message.read_text()


def test_every_refusal_has_its_folder_and_every_folder_its_test() -> None:
    folders = {folder.name for folder in INVALID.glob("change-*")}
    assert folders == {*REFUSED, "change-names-something-mutable"}


def test_a_source_that_is_not_merged_is_refused(team: Team) -> None:
    base = team.git("rev-parse", "HEAD")
    source = team.repo.git.commit_files(base, {"README.md": b"words"}, "Not merged")
    put(team, made_at(team, commit=source), "dev")
    assert f"source commit {source[:12]} is not in the history of {base[:12]}" in said(judged(team))


def test_a_withdrawn_release_comes_back_only_with_a_reason(team: Team) -> None:
    one = made_at(team, 1, bento=store_bento(team, "one"))
    two = made_at(team, 2, bento=store_bento(team, "two"))
    path_of_dev_to_prod(team, one, "dev", "staging")
    put(team, two, "dev", champion=one.release, push=True)
    put(team, two, "staging", champion=one.release, push=True)
    team.git("revert", "--no-edit", "HEAD")
    team.git("push", "--quiet", "origin", "HEAD")
    put(team, two, "staging", champion=one.release)
    refused = judged(team)
    assert failed(refused) == ["not withdrawn"]
    assert "mlops promote toy --to staging --again REASON" in said(refused)
    team.git("reset", "--quiet", "--hard", "origin/main")
    put(team, two, "staging", champion=one.release, reason="the feed was at fault")
    assert failed(judged(team)) == []


def test_a_soak_is_over_when_the_previous_environment_was_confirmed_long_enough(
    team: Team,
) -> None:
    made = soaking(team)
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    record = Record(
        kind="serving",
        environment="dev",
        service="toy",
        release=1,
        at=start.isoformat(),
        commit=team.git("rev-parse", "HEAD"),
    )
    append(team.repo.git, "origin", record)
    put(team, made, "staging")
    early = judged(team, start + timedelta(minutes=90))
    assert "has served dev for 1 h 30 min, staging asks for 2 h" in said(early)
    assert failed(judged(team, start + timedelta(hours=2))) == []


def test_files_that_cannot_be_read_end_the_check_with_all_problems(team: Team) -> None:
    team.write("environments/dev/env.yaml", "name: dev\nclutser: x\n")
    team.write(SETTINGS.format("dev"), "service: toy\nlocal_port: many\n")
    team.commit("Slips", push=False)
    with pytest.raises(BadInput) as refused:
        judged(team)
    assert len(refused.value.problems) == 6
