"""OpenLineage's own client as judge: its classes are made from the published JSON Schemas.

Each facet is held to the class of its own schema: no field that it lacks, none missing, each of its
type, and the version of the schema that it names.
"""

import copy
from importlib import import_module
from typing import Any

from cattrs import Converter
from openlineage.client.generated import base

FACETS = {
    "version": "dataset_version_dataset:DatasetVersionDatasetFacet",
    "symlinks": "symlinks_dataset:SymlinksDatasetFacet",
    "tags": "tags_dataset:TagsDatasetFacet",
    "schema": "schema_dataset:SchemaDatasetFacet",
    "dataQualityAssertions": "data_quality_assertions_dataset:DataQualityAssertionsDatasetFacet",
    "outputStatistics": "output_statistics_output_dataset:OutputStatisticsOutputDatasetFacet",
    "sourceCodeLocation": "source_code_location_job:SourceCodeLocationJobFacet",
    "jobType": "job_type_job:JobTypeJobFacet",
    "errorMessage": "error_message_run:ErrorMessageRunFacet",
    "parent": "parent_run:ParentRunFacet",
}
"""The facets that are used: where the client has the class of each."""


def check(event: dict[str, Any]) -> None:
    """Raise an error when a run event is not one by the standard."""
    body = copy.deepcopy(event)
    _facets(body["run"], "facets", base.RunFacet)
    _facets(body["job"], "facets", base.JobFacet)
    for one in (*body["inputs"], *body["outputs"]):
        _facets(one, "facets", base.DatasetFacet)
    for one in body["inputs"]:
        _facets(one, "inputFacets", base.InputDatasetFacet)
    for one in body["outputs"]:
        _facets(one, "outputFacets", base.OutputDatasetFacet)
    _same_schema(body.pop("schemaURL"), base.RunEvent)
    _converter().structure(body, base.RunEvent)


def _facets(holder: dict[str, Any], key: str, kind: type) -> None:
    for name, facet in holder.pop(key).items():
        module, _, wanted = FACETS[name].partition(":")
        found = getattr(import_module(f"openlineage.client.generated.{module}"), wanted)
        if not issubclass(found, kind):
            raise TypeError(f"{name} is no {kind.__name__}")
        assert facet.pop("_producer")
        _same_schema(facet.pop("_schemaURL"), found)
        _converter().structure(facet, found)


def _same_schema(said: str, kind: Any) -> None:
    if said != kind._get_schema():
        raise ValueError(f"{said}, not {kind._get_schema()}")


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly)
    return converter


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
