"""Rules about the evidence a release names: it is there, whole, and says what the release says."""

from datetime import UTC, datetime, timedelta

from mlops import digests
from mlops.environments.case import Case, Finding, broken, met
from mlops.errors import Problem
from mlops.repository import evidence_path
from mlops.specs.base import parse
from mlops.specs.evidence import Evidence
from mlops.specs.release import Release

AGAIN = "release again: mlops release {service}"


def evidence_fits(case: Case) -> Finding:
    """The evidence is the file of its hash and agrees with the release."""
    rule = "evidence belongs to the release"
    path = evidence_path(case.service, case.release.evidence.digest)
    content = case.after.tree.read(path)
    fix = AGAIN.format(service=case.service)
    if content is None:
        return broken(rule, [_absent(case, path)])
    found = digests.of_bytes(content)
    if found != case.release.evidence.digest:
        what = f"its content has the hash {found.removeprefix('sha256:')}, not the one it is named"
        return broken(rule, [Problem(path, what, f"evidence is never edited, {fix}")])
    evidence = parse(content, path, Evidence)
    differing = _differing(case.release, evidence)
    if differing:
        what = f"says otherwise than the release: {', '.join(differing)}"
        return broken(rule, [Problem(path, what, fix)])
    return met(rule, f"evidence {digests.short(found)} has its hash and agrees with the release")


def _absent(case: Case, path: str) -> Problem:
    what = f"is named by {case.path} but is not there"
    return Problem(path, what, AGAIN.format(service=case.service))


def _differing(release: Release, evidence: Evidence) -> list[str]:
    """The parts of a release that its evidence tells otherwise."""
    pairs: dict[str, tuple[object, object]] = {
        "service": (release.service, evidence.service),
        "source tree": (release.source.tree, evidence.source_tree),
        "models": (
            {pin.name: pin.digest for pin in release.models},
            {each.model: each.digest for each in evidence.models},
        ),
        "datasets": (
            {pin.name: (pin.digest, pin.contract) for pin in release.datasets},
            {each.dataset: (each.digest, each.contract) for each in evidence.data},
        ),
        "metrics": (release.evidence.metrics, metrics_of(evidence)),
        "measured_on": (release.evidence.measured_on, measured_on(evidence)),
    }
    return [name for name, (said, measured) in pairs.items() if said != measured]


def metrics_of(evidence: Evidence) -> dict[str, float]:
    """The absolute metrics that a release repeats, as `<model>.<metric>`."""
    return {
        f"{each.model}.{metric}": interval.value
        for each in evidence.models
        for metric, interval in each.metrics.items()
    }


def measured_on(evidence: Evidence) -> str:
    """Digest of the rows measured on; of several models the digest of theirs."""
    sets = [each.measured_on for each in evidence.models]
    return sets[0] if len(sets) == 1 else digests.of_json(sets)


def gates_passed(case: Case) -> Finding:
    """Every gate in the evidence was met, and no rule of a contract was broken."""
    rule = "gates of the evidence"
    path = evidence_path(case.service, case.release.evidence.digest)
    content = case.after.tree.read(path)
    if content is None:
        return broken(rule, [_absent(case, path)])
    evidence = parse(content, path, Evidence)
    failed = [
        Problem(path, f"gate of {each.model} not met: {gate.gate} ({gate.detail})", _IMPROVE)
        for each in evidence.models
        for gate in each.gates
        if not gate.passed
    ]
    failed += [
        Problem(
            path,
            f"{each.failed} of {each.rules} rules of {each.dataset}'s contract are broken",
            "correct the data, then release again",
        )
        for each in evidence.data
        if each.failed
    ]
    count = sum(len(each.gates) for each in evidence.models)
    return broken(rule, failed) if failed else met(rule, f"all {count} were met")


_IMPROVE = "improve the model, or change its gates in model.yaml in a pull request of their own"


def evidence_young(case: Case) -> Finding:
    """The evidence is not older than the environment accepts."""
    rule = "age of the evidence"
    path = evidence_path(case.service, case.release.evidence.digest)
    age, limit = evidence_age(case), case.env.evidence_max_age
    if age is None:
        return broken(rule, [_absent(case, path)])
    if age > limit:
        what = f"is {age.days} days old, {case.environment} accepts {limit.days}"
        return broken(rule, [Problem(path, what, AGAIN.format(service=case.service))])
    return met(rule, f"{max(age.days, 0)} days, at most {limit.days} are accepted")


def evidence_age(case: Case) -> timedelta | None:
    """How long ago the release's evidence was committed first; None when it is not committed.

    A revert of a revert does not make it new.
    """
    path = evidence_path(case.service, case.release.evidence.digest)
    told = case.repo.git.text("log", "--diff-filter=A", "--format=%ct", case.head, "--", path)
    if not told:
        return None
    measured = datetime.fromtimestamp(int(told.splitlines()[-1]), tz=UTC)
    return max(case.now - measured, timedelta(0))
