"""The lineage events of a file of the log: who wrote it, of which release."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from mlops import digests
from mlops.lineage import events
from mlops.lineage.events import InputDataset, OutputDataset, RunEvent, VersionFacet
from mlops.serving.predictions.asked import Asked
from mlops.serving.predictions.places import Place

KIND = "predictions"


@dataclass(frozen=True)
class File:
    """A file of the log that was written."""

    place: Place
    rows: int
    size: int


def happened(asked: Asked, file: File) -> tuple[RunEvent, RunEvent]:
    """The start (of the file's first row) and the end of a run that wrote it."""
    run = events.Run(run_id=str(uuid.uuid4()))
    kind = events.JobTypeFacet(processing_type="STREAMING", job_type="SERVICE")
    job = events.Job(
        namespace=asked.project, name=f"serve.{asked.service}", facets={"jobType": kind}
    )
    start = RunEvent(event_type="START", event_time=_time(file.place.first), run=run, job=job)
    end = RunEvent(
        event_type="COMPLETE",
        event_time=_time(file.place.last),
        run=run,
        job=job,
        inputs=_served(asked, file.place.release),
        outputs=(_written(asked, file),),
    )
    return start, end


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _served(asked: Asked, release: int) -> tuple[InputDataset, ...]:
    """The release; of what was never released, the bento."""
    if release:
        version = _version(str(release))
        return (_input(asked, f"release/{asked.service}", version),)
    if asked.bento:
        return (_input(asked, f"bento/{asked.service}", _version(asked.bento)),)
    return ()


def _input(asked: Asked, name: str, version: VersionFacet) -> InputDataset:
    return InputDataset(namespace=asked.project, name=name, facets={"version": version})


def _written(asked: Asked, file: File) -> OutputDataset:
    place = events.Identifier(name=f"{asked.shown}/{file.place.path}", type="FILE")
    statistics = events.StatisticsFacet(row_count=file.rows, size=file.size)
    return OutputDataset(
        namespace=asked.project,
        name=f"{KIND}/{asked.environment}/{asked.service}",
        facets={
            "version": _version(digests.PREFIX + file.place.content),
            "symlinks": events.SymlinksFacet(identifiers=(place,)),
        },
        output_facets={"outputStatistics": statistics},
    )


def _version(text: str) -> VersionFacet:
    return VersionFacet(dataset_version=text)
