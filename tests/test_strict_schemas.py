"""A document that a cluster would refuse, or drop a field of, is told by field."""

import copy
from typing import Any

import pytest

from tests.strict_schemas import SCHEMAS, problems

POLICY: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "one"},
    "spec": {"validations": [{"expression": "true"}]},
}
PROJECT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "dev", "namespace": "argocd"},
    "spec": {"sourceRepos": ["https://example.com/one.git"]},
}


@pytest.mark.parametrize("good", [POLICY, PROJECT], ids=["built in", "custom"])
def test_a_good_document_has_no_problem_and_an_unknown_field_is_one(good: dict[str, Any]) -> None:
    wrong = copy.deepcopy(good)
    wrong["spec"]["strange"] = 1
    assert problems(good) == []
    assert [each for each in problems(wrong) if "strange" in each]


def test_names_and_labels_that_kubernetes_refuses_are_told() -> None:
    wrong = {**POLICY, "metadata": {"name": "One", "labels": {"app": "x" * 64}}}
    told = problems(wrong)
    assert [each.split(":")[0] for each in told] == ["metadata.labels.app", "metadata.name"]


def test_a_kind_without_a_schema_is_never_taken_for_good() -> None:
    with pytest.raises(KeyError, match=r"no schema of example\.com/v1 Thing"):
        problems({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})


def test_every_schema_says_where_it_is_from() -> None:
    told = (SCHEMAS / "README.md").read_text()
    for file in SCHEMAS.glob("*.json"):
        assert file.stem.rpartition("_")[2] in told
