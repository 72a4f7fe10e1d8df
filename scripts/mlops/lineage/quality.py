"""What a validation found, as facets."""

from typing import TYPE_CHECKING

from mlops.lineage.events import Assertion, AssertionsFacet, Column, SchemaFacet

if TYPE_CHECKING:
    from mlops.data.contract import Contract
    from mlops.data.validation import Report


def assertions(report: "Report") -> AssertionsFacet:
    """Each rule of a contract that was checked, and whether it held."""
    return AssertionsFacet(
        assertions=tuple(
            Assertion(
                assertion=one.rule.kind,
                success=one.passed,
                column=one.rule.columns[0] if len(one.rule.columns) == 1 else None,
                severity="error" if one.rule.stops else "warn",
                description=one.rule.text,
                actual=f"{one.failing} of {one.checked} fail" if one.rule.of_rows else one.observed,
            )
            for one in report.outcomes
        )
    )


def columns(contract: "Contract") -> SchemaFacet:
    """The columns of a contract's table, in its words."""
    return SchemaFacet(
        fields=tuple(Column(name=one.name, type=one.logical_type) for one in contract.columns)
    )
