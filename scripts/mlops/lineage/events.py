"""OpenLineage run events and the facets that are used, as the standard writes them.

https://openlineage.io/spec/2-0-2/OpenLineage.json. Each facet names the version of its own
schema.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PRODUCER = "urn:mlops:lineage"
"""URI of what makes the events, the same in every fork."""
SPEC = "https://openlineage.io/spec"
State = Literal["START", "COMPLETE", "FAIL", "ABORT"]


class _Written(BaseModel):
    # Not a Spec: this module goes into every bento, and should bring no other along.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        alias_generator=to_camel,
        validate_by_name=True,
    )


class Facet(_Written):
    """What every facet says beside its own."""

    producer: str = Field(default=PRODUCER, alias="_producer")
    schema_url: str = Field(alias="_schemaURL")


def _of(name: str, version: str) -> str:
    return Field(default=f"{SPEC}/facets/{version}/{name}.json#/$defs/{name}", alias="_schemaURL")


class VersionFacet(Facet):
    """`version` of a dataset: its content digest, or a release's number."""

    schema_url: str = _of("DatasetVersionDatasetFacet", "1-0-1")
    dataset_version: str


class Identifier(_Written):
    """Another name of a dataset: the path of a file or folder that holds its bytes."""

    namespace: str = "file"
    name: str
    type: Literal["FILE", "FOLDER"]


class SymlinksFacet(Facet):
    """`symlinks` of a dataset: where its bytes were read or written."""

    schema_url: str = _of("SymlinksDatasetFacet", "1-0-1")
    identifiers: tuple[Identifier, ...]


class Tag(_Written):
    """A label."""

    key: str
    value: str
    source: str = "mlops"


class TagsFacet(Facet):
    """`tags` of a dataset: `number` is what people call the version."""

    schema_url: str = _of("TagsDatasetFacet", "1-0-0")
    tags: tuple[Tag, ...]


class Column(_Written):
    """A column, its type in a contract's words."""

    name: str
    type: str


class SchemaFacet(Facet):
    """`schema` of a dataset."""

    schema_url: str = _of("SchemaDatasetFacet", "1-2-0")
    fields: tuple[Column, ...]


class Assertion(_Written):
    """A rule that was checked, and whether it held."""

    assertion: str
    success: bool
    column: str | None = None
    severity: Literal["error", "warn"]
    description: str
    actual: str


class AssertionsFacet(Facet):
    """`dataQualityAssertions` of an input."""

    schema_url: str = _of("DataQualityAssertionsDatasetFacet", "1-1-0")
    assertions: tuple[Assertion, ...]


class StatisticsFacet(Facet):
    """`outputStatistics` of an output: rows, and bytes."""

    schema_url: str = _of("OutputStatisticsOutputDatasetFacet", "1-0-2")
    row_count: int
    size: int


class SourceFacet(Facet):
    """`sourceCodeLocation` of a job: the commit that was checked out."""

    schema_url: str = _of("SourceCodeLocationJobFacet", "1-1-0")
    type: Literal["git"] = "git"
    url: str
    repo_url: str | None = None
    version: str


class JobTypeFacet(Facet):
    """`jobType`."""

    schema_url: str = _of("JobTypeJobFacet", "2-0-4")
    processing_type: Literal["BATCH", "STREAMING"] = "BATCH"
    integration: Literal["MLOPS"] = "MLOPS"
    job_type: Literal["COMMAND", "SERVICE"] = "COMMAND"


class ErrorFacet(Facet):
    """`errorMessage` of a run that failed."""

    schema_url: str = _of("ErrorMessageRunFacet", "1-0-1")
    message: str
    programming_language: Literal["PYTHON"] = "PYTHON"


class RunOf(_Written):
    """A run by its id."""

    run_id: str


class JobOf(_Written):
    """A job by its name."""

    namespace: str
    name: str


class ParentFacet(Facet):
    """`parent` of a run: the step that this one was a part of."""

    schema_url: str = _of("ParentRunFacet", "1-2-0")
    run: RunOf
    job: JobOf


class Run(_Written):
    """One run of a job, by its UUID."""

    run_id: str
    facets: dict[str, ErrorFacet | ParentFacet] = Field(default_factory=dict)


class Job(_Written):
    """A job: a command and what it is about, such as `train.bike-demand`."""

    namespace: str
    name: str
    facets: dict[str, SourceFacet | JobTypeFacet] = Field(default_factory=dict)


DatasetFacet = VersionFacet | SymlinksFacet | TagsFacet | SchemaFacet


class Dataset(_Written):
    """Anything that is read or written: `<kind>/<name>` in the project's namespace."""

    namespace: str
    name: str
    facets: dict[str, DatasetFacet]


class InputDataset(Dataset):
    """What was read."""

    input_facets: dict[str, AssertionsFacet] = Field(default_factory=dict)


class OutputDataset(Dataset):
    """What was written."""

    output_facets: dict[str, StatisticsFacet] = Field(default_factory=dict)


class RunEvent(_Written):
    """A step began, or ended, and what it had read and written by then."""

    event_type: State
    event_time: str
    run: Run
    job: Job
    inputs: tuple[InputDataset, ...] = ()
    outputs: tuple[OutputDataset, ...] = ()
    producer: str = PRODUCER
    schema_url: str = Field(
        default=f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent", alias="schemaURL"
    )

    @property
    def kept_at(self) -> str:
        """Where the events of the run are kept whose first one this is, below their folder."""
        return f"{self.event_time[:10]}/{self.run.run_id}.jsonl"

    @property
    def unsent_at(self) -> str:
        """What stands for that the run is to be sent to a backend, below the same folder."""
        return f"unsent/{self.event_time[:10]}_{self.run.run_id}"

    def line(self) -> str:
        """The event as one line of JSON."""
        return f"{self.model_dump_json(by_alias=True, exclude_none=True)}\n"
