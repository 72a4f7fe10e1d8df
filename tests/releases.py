"""Releases of the toy service that agree with themselves: evidence, hash and pins fit."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops import digests
from mlops.repository import evidence_path, folder_of, release_path
from mlops.sources import service_source
from mlops.specs.base import to_yaml
from mlops.specs.decision import Champion, Comparison, Decision
from mlops.specs.evidence import (
    DataValidation,
    Drift,
    Evidence,
    GateResult,
    Interval,
    ModelEvidence,
    SliceMetrics,
)
from mlops.specs.release import DatasetPin, EvidencePin, Image, ModelPin, Release, Source
from tests.team import Team

SERVICE, MODEL, DATASET = "toy", "toy-line", "toy-points"
RELEASE_SCHEMA = "../../../scripts/mlops/specs/schemas/release.schema.json"
DECISION_SCHEMA = "../../../scripts/mlops/specs/schemas/decision.schema.json"


def fake_digest(*words: object) -> str:
    """A digest that belongs to no content, the same for the same words."""
    return digests.of_json([str(word) for word in words])


@dataclass(frozen=True)
class Made:
    """A release and the evidence it names, as specs and as the bytes of their files."""

    release: Release
    evidence: Evidence

    @property
    def release_text(self) -> str:
        """The bytes of release.yaml."""
        return to_yaml(self.release, schema=RELEASE_SCHEMA)

    @property
    def evidence_text(self) -> str:
        """The bytes of the evidence file."""
        return evidence_text(self.evidence)

    @property
    def evidence_file(self) -> str:
        """Where the evidence is committed."""
        return evidence_path(self.release.service, self.release.evidence.digest)


def evidence_text(evidence: Evidence) -> str:
    """Canonical JSON; its hash is the evidence's digest."""
    return digests.canonical_json(evidence.model_dump(mode="json")).decode()


def make_evidence(
    *,
    service: str = SERVICE,
    source_tree: str,
    model: str | None = None,
    mae: float = 1.25,
    gates_passed: bool = True,
) -> Evidence:
    """Evidence of one model of the toy project; `model` is the artifact's digest."""
    data = fake_digest("data")
    measured = ModelEvidence(
        model=MODEL,
        digest=model or fake_digest("model", service),
        inputs=fake_digest("inputs"),
        measured_on=fake_digest("holdout"),
        rows=96,
        first="2024-01-27T00:00:00",
        last="2024-01-30T23:00:00",
        confidence=0.95,
        metrics={"mae": Interval(value=mae, low=mae - 0.25, high=mae + 0.25)},
        baseline={"mae": 5.5},
        slices=(SliceMetrics(column="side", value="left", rows=48, metrics={"mae": mae}),),
        drift=(Drift(column="x", statistic=0.05),),
        gates=(GateResult(gate="mae at most 3", passed=gates_passed, detail=f"mae is {mae}"),),
    )
    contract = DataValidation(
        dataset=DATASET, digest=data, contract="1.0.0", rows=720, rules=9, failed=0
    )
    return Evidence(service=service, source_tree=source_tree, data=(contract,), models=(measured,))


def make_release(
    number: int = 1,
    *,
    commit: str = "1" * 40,
    source_tree: str | None = None,
    bento: str | None = None,
    model: str | None = None,
    image: bool = False,
    service: str = SERVICE,
    mae: float = 1.25,
    gates_passed: bool = True,
    bare: bool = False,
) -> Made:
    """A release of the toy service with that number, and evidence that fits it.

    Args:
        number: the release's number; it also makes the digests differ between numbers.
        commit: the source commit (see `release_of` for one that is in the clone).
        bento: the bento's digest, default a fake one.
        model: the model artifact's digest, default a fake one.
        image: whether an image has been pushed.
        gates_passed: whether the evidence's gate was met.
        bare: without models and datasets, so that nothing is compared with a champion.
    """
    tree = source_tree or fake_digest("source", service)
    artifact = model or fake_digest("model", service, number)
    evidence = make_evidence(
        service=service, source_tree=tree, model=artifact, mae=mae, gates_passed=gates_passed
    )
    if bare:
        evidence = evidence.model_copy(update={"models": (), "data": ()})
    pin = EvidencePin(
        digest=digests.of_bytes(evidence_text(evidence).encode()),
        measured_on=digests.of_json([]) if bare else evidence.models[0].measured_on,
        metrics={} if bare else {"toy-line.mae": mae},
    )
    release = Release(
        service=service,
        release=number,
        source=Source(commit=commit, tree=tree),
        bento=bento or fake_digest("bento", service, number),
        image=Image(name=service, digest=fake_digest("image", service, number)) if image else None,
        models=tuple(
            ModelPin(name=each.model, digest=each.digest, version=number)
            for each in evidence.models
        ),
        datasets=tuple(
            DatasetPin(name=each.dataset, digest=each.digest, contract=each.contract)
            for each in evidence.data
        ),
        evidence=pin,
    )
    return Made(release, evidence)


def release_of(team: Team, number: int = 1, **differing: object) -> Made:
    """Like `make_release`, of the commit checked out in the team's clone."""
    head = team.repo.commit("HEAD")
    known: dict[str, object] = {
        "commit": team.git("rev-parse", "HEAD"),
        "source_tree": service_source(head, SERVICE),
    }
    return make_release(number, **{**known, **differing})  # type: ignore[arg-type]  # as given


def make_decision(
    made: Made,
    environment: str,
    *,
    kind: str = "release",
    came_from: str | None = None,
    champion: Release | None = None,
    comparisons: tuple[Comparison, ...] = (),
    reason: str | None = None,
) -> Decision:
    """A decision that agrees with the release."""
    replaced = (
        None if champion is None else Champion(release=champion.release, bento=champion.bento)
    )
    return Decision.model_validate(
        {
            "kind": kind,
            "service": made.release.service,
            "environment": environment,
            "release": made.release.release,
            "came_from": came_from,
            "champion": replaced,
            "comparisons": comparisons,
            "reason": reason,
        }
    )


def files_of(made: Made, environment: str, decision: Decision | None = None) -> Mapping[str, str]:
    """The files of a pull request that puts the release there (manifests.yaml not among them)."""
    decision = decision or make_decision(made, environment)
    folder = folder_of(environment, made.release.service)
    files = {
        release_path(environment, made.release.service): made.release_text,
        f"{folder}/decision.yaml": to_yaml(decision, schema=DECISION_SCHEMA),
    }
    if decision.kind == "release":
        files[made.evidence_file] = made.evidence_text
    return files
