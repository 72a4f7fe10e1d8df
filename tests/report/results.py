"""Results as the parts of the checks write them, for a plan that fits."""

from collections.abc import Sequence

from mlops.checks.context import Share
from mlops.specs.decision import Champion, Comparison
from mlops.specs.evidence import DataValidation, Drift, GateResult, SliceMetrics
from mlops.specs.result import (
    ContractDifference,
    ContractResult,
    DatasetResult,
    EnvironmentResult,
    Fact,
    ModelResult,
    Outcome,
    PairedMetric,
    Part,
    Plot,
    Rendered,
    Result,
    Told,
)
from tests.releases import fake_digest, make_evidence

BASE, HEAD = "a" * 40, "b" * 40
FAILED_GATE = GateResult(gate="mae at most 1", passed=False, detail="mae is 1.7")


def result(part: Part = "code", *, outcome: Outcome = "good", **fields: object) -> Result:
    """The result of one part of the change from BASE to HEAD."""
    known: dict[str, object] = {
        "part": part,
        "base": BASE,
        "head": HEAD,
        "outcome": outcome,
        "summary": f"{part} is {outcome}",
        "seconds": 1.5,
    }
    return Result.model_validate({**known, **fields})


def plan_of(results: Sequence[Result]) -> tuple[Share, ...]:
    """The plan these results are all of."""
    return tuple(Share(each.part, shard=each.shard, of=each.of) for each in results)


def comparison(
    model: str = "toy-line", metric: str = "mae", *, difference: float = -0.25, passed: bool = True
) -> Comparison:
    """A challenger against a champion of 1.5, with an interval of 0.2 on each side."""
    return Comparison(
        model=model,
        challenger=fake_digest("model", model, 2),
        champion=fake_digest("model", model, 1),
        measured_on=fake_digest("holdout"),
        rows=96,
        metric=metric,
        challenger_value=1.5 + difference,
        champion_value=1.5,
        difference=difference,
        low=difference - 0.2,
        high=difference + 0.2,
        confidence=0.95,
        passed=passed,
    )


def model(
    name: str = "toy-line",
    *,
    comparisons: tuple[Comparison, ...] | None = None,
    gates: tuple[GateResult, ...] = (GateResult(gate="mae at most 3", passed=True, detail="1.25"),),
    plots: tuple[Plot, ...] = (),
    paired: tuple[PairedMetric, ...] = (),
) -> ModelResult:
    """A model compared with what serves in prod."""
    evidence = make_evidence(source_tree=fake_digest("source")).models[0]
    slices = tuple(
        SliceMetrics(column="side", value=side, rows=48, metrics={"mae": 1.2})
        for side in ("left", "right")
    )
    drift = (Drift(column="x", statistic=0.05), Drift(column="temperature", statistic=0.31))
    return ModelResult(
        evidence=evidence.model_copy(update={"model": name, "slices": slices, "drift": drift}),
        environment="prod",
        champion=Champion(release=1, bento=fake_digest("bento")),
        comparisons=(comparison(name),) if comparisons is None else comparisons,
        gates=gates,
        services=("toy",),
        plots=plots,
        paired=paired,
    )


def paired(column: str = "", value: str = "", metric: str = "mae") -> PairedMetric:
    """A metric of both models, a little better than before."""
    return PairedMetric(
        column=column,
        value=value,
        rows=48,
        metric=metric,
        champion_value=1.5,
        challenger_value=1.25,
        difference=-0.25,
        low=-0.45,
        high=0.05,
    )


def dataset(*, failed: int = 0) -> DatasetResult:
    """A pinned dataset against its contract."""
    validation = DataValidation(
        dataset="toy-points",
        digest=fake_digest("data"),
        contract="1.0.0",
        rows=720,
        rules=9,
        failed=failed,
    )
    broken = ("`x` is null in 3 of 720 rows",) if failed else ()
    return DatasetResult(dataset="toy-points", validation=validation, broken=broken)


def contract() -> ContractResult:
    """A contract that breaks its readers."""
    return ContractResult(
        dataset="toy-points",
        before="1.0.0",
        after="1.1.0",
        needs="major",
        differences=(
            ContractDifference(
                path="points.x", kind="widening", text="may be null now", breaking=True
            ),
            ContractDifference(
                path="points.z", kind="addition", text="a column more", breaking=False
            ),
        ),
        models=("toy-line",),
        services=("toy",),
    )


def environment() -> EnvironmentResult:
    """A promotion."""
    return EnvironmentResult(
        kind="promotion",
        environment="prod",
        service="toy",
        release=7,
        replaces=6,
        reason="the holiday data is in",
        comparisons=(comparison(),),
        facts=(
            Fact(name="evidence", text="3 days old, at most 30"),
            Fact(name="freeze", text="holidays until 2024-01-02", good=False),
        ),
        differences=("model toy-line: version 1 to version 2",),
        rendered=(
            Rendered(
                path="environments/prod/toy/manifests.yaml",
                diff="--- a\n+++ b\n-old\n+new\n",
                lines=4,
            ),
        ),
        undo=("mlops rollback toy --env prod --to 6",),
    )


def everything() -> list[Result]:
    """One result of each part, with something of each kind to tell."""
    return [
        result("code"),
        result(
            "tests",
            outcome="not good",
            problems=(
                Told(
                    path="tests/test_x.py::test_y",
                    what="fails (1 != 2)",
                    fix="run `pytest tests/test_x.py`",
                ),
            ),
        ),
        result("contracts", outcome="not good", contracts=(contract(),), datasets=(dataset(),)),
        result("models", models=(model(paired=(paired(), paired("side", "left"))),)),
        result("environments", environment=environment()),
        result("policy"),
    ]
