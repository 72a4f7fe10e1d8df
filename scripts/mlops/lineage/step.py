"""A step: a command at work, which begins and ends with an OpenLineage event in the stores."""

import sys
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypedDict, TypeVar

from mlops.errors import Exit, MlopsError, Problem
from mlops.lineage import events, sending
from mlops.lineage.events import InputDataset, OutputDataset, RunEvent, State
from mlops.lineage.kept import Kept
from mlops.lineage.told import FILE, IN_COMMIT, Entry, Thing, Told, listening
from mlops.repository import PROJECT_FILE, Repository

Args = ParamSpec("Args")
Given = TypeVar("Given")
NUMBER = "number"
"""Tag of what people call a version."""


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Step:
    """A step under way.

    Attributes:
        job: its name, such as `train.bike-demand`.
        failure: why it did not end well, in words.
    """

    repo: Repository
    job: str
    outer: "Step | None"
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: str = field(default_factory=_moment)
    told: Told = field(default_factory=Told)
    failure: str | None = None


_now: ContextVar[Step | None] = ContextVar("mlops_step", default=None)


def recorded(
    verb: str,
) -> Callable[
    [Callable[Concatenate[Repository, str, Args], Given]],
    Callable[Concatenate[Repository, str, Args], Given],
]:
    """For a function of a clone and what it is about: it is a step, named `<verb>.<subject>`.

    It fails when the function raises, or returns an exit code other than 0.
    """

    def decorate(
        function: Callable[Concatenate[Repository, str, Args], Given],
    ) -> Callable[Concatenate[Repository, str, Args], Given]:
        @wraps(function)
        def run(repo: Repository, subject: str, /, *args: Args.args, **rest: Args.kwargs) -> Given:
            with recording(repo, verb, subject) as under_way:
                done = function(repo, subject, *args, **rest)
                if isinstance(done, Exit) and done is not Exit.DONE:
                    under_way.failure = f"exit code {done.value}"
            return done

        return run

    return decorate


@contextmanager
def recording(repo: Repository, verb: str, subject: str) -> Iterator[Step]:
    """Record what is read and written until the block ends.

    A step inside a step is a run of its own, whose parent is the outer one; what it wrote is read
    by the outer one. Inside a step of the same name it is that step. Nothing that goes wrong with
    lineage fails a step: it is told on standard error.
    """
    outer, job = _now.get(), f"{verb}.{subject}"
    if outer is not None and outer.job == job:
        yield outer
        return
    here = Step(repo, job, outer)
    start = _start(here)
    with _harmless():
        Kept(repo.stores).write([start])
    token = _now.set(here)
    state: State = "COMPLETE"
    try:
        with listening(here.told):
            repo.tree.read(PROJECT_FILE)  # it was read before, to know the clone
            yield here
        state = "FAIL" if here.failure else state
    except KeyboardInterrupt:
        state = "ABORT"
        raise
    except BaseException as error:
        state, here.failure = "FAIL", _reason(error)
        raise
    finally:
        _now.reset(token)
        if outer is not None:
            for place, entry in _left(here.told).items():
                if place not in outer.told.writes:
                    outer.told.reads.setdefault(place, entry)
        with _harmless():
            _keep(here, [start, _end(here, start, state)])


def _reason(error: BaseException) -> str:
    if isinstance(error, MlopsError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _start(here: Step) -> RunEvent:
    parent = _parent(here.outer) if here.outer else {}
    run = events.Run(run_id=here.run_id, facets={**parent})
    return RunEvent(event_type="START", event_time=here.started, run=run, job=_job(here))


def _end(here: Step, start: RunEvent, state: State) -> RunEvent:
    facets = dict(start.run.facets)
    if here.failure:
        facets["errorMessage"] = events.ErrorFacet(message=here.failure)
    inputs, outputs = _datasets(here)
    return RunEvent(
        event_type=state,
        event_time=_moment(),
        run=events.Run(run_id=here.run_id, facets=facets),
        job=start.job,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
    )


def _keep(here: Step, told: Sequence[RunEvent]) -> None:
    """Keep the events of a run that ended; after an outermost step send what is to be sent."""
    kept = Kept(here.repo.stores)
    kept.write(told)
    backend = sending.backend_of(here.repo)
    if backend is not None:
        kept.mark_unsent(told)
        if here.outer is None:
            _warn(sending.send(kept, backend))


@contextmanager
def _harmless() -> Iterator[None]:
    """What goes wrong within is told and no more; what is written within is no step's output."""
    try:
        with listening(None):
            yield
    except MlopsError as error:
        for problem in error.problems:
            _warn(problem)
    except OSError as error:
        _warn(Problem("events", f"could not be kept ({error})", "see to the stores"))


def _warn(problem: Problem | None) -> None:
    if problem is not None:
        sys.stderr.write(f"lineage: {problem}\n")


def _parent(outer: Step) -> Mapping[str, events.ParentFacet]:
    job = events.JobOf(namespace=outer.repo.project.project.name, name=outer.job)
    return {"parent": events.ParentFacet(run=events.RunOf(run_id=outer.run_id), job=job)}


def _job(here: Step) -> events.Job:
    facets: dict[str, events.SourceFacet | events.JobTypeFacet] = {"jobType": events.JobTypeFacet()}
    commit = here.repo.git.commit_of("HEAD")
    if commit:
        page = here.repo.project.page
        facets["sourceCodeLocation"] = events.SourceFacet(
            url=f"{page}/tree/{commit}" if page else f"urn:git:{commit}",
            repo_url=page,
            version=commit,
        )
    return events.Job(namespace=here.repo.project.project.name, name=here.job, facets=facets)


def _datasets(here: Step) -> tuple[list[InputDataset], list[OutputDataset]]:
    """What was read and written, each thing once with all its places.

    A copy of something that was read is no product: its place is one more of the input.
    """
    reads, writes = _by_thing(here, here.told.reads), _by_thing(here, _left(here.told))
    for thing in reads.keys() & writes.keys():
        reads[thing] |= writes.pop(thing)
    inputs = [
        InputDataset(**_dataset(here, thing, places), input_facets=_quality(places))
        for thing, places in reads.items()
    ]
    outputs = [
        OutputDataset(**_dataset(here, thing, places), output_facets=_statistics(places))
        for thing, places in writes.items()
    ]
    return inputs, outputs


def _left(told: Told) -> dict[str, Entry]:
    """What was written, without files that came and went within the step."""
    return {
        place: entry
        for place, entry in told.writes.items()
        if entry.thing != FILE or IN_COMMIT in place or Path(place).exists()
    }


def _by_thing(here: Step, entries: Mapping[str, Entry]) -> dict[Thing, dict[str, Entry]]:
    found: dict[Thing, dict[str, Entry]] = defaultdict(dict)
    for place, entry in entries.items():
        name = entry.thing.name or shown(here.repo, place)
        version = entry.thing.version or entry.digest
        found[replace(entry.thing, name=name, version=version)][place] = entry
    return found


def shown(repo: Repository, place: str) -> str:
    """A place as events name it: `<stores>/...`, or relative to the clone when it lies there."""
    path = Path(place.partition(IN_COMMIT)[0])
    if path.is_relative_to(repo.stores):
        return f"<stores>/{path.relative_to(repo.stores).as_posix()}"
    return path.relative_to(repo.root).as_posix() if path.is_relative_to(repo.root) else str(path)


class _Dataset(TypedDict):
    namespace: str
    name: str
    facets: dict[str, events.DatasetFacet]


def _dataset(here: Step, thing: Thing, places: Mapping[str, Entry]) -> _Dataset:
    facets: dict[str, events.DatasetFacet] = {
        "version": events.VersionFacet(dataset_version=thing.version or "")
    }
    if thing.label:
        facets["tags"] = events.TagsFacet(tags=(events.Tag(key=NUMBER, value=thing.label),))
    if identifiers := tuple(_identifiers(here, thing, places)):
        facets["symlinks"] = events.SymlinksFacet(identifiers=identifiers)
    if schema := next((one.about.schema for one in places.values() if one.about.schema), None):
        facets["schema"] = schema
    namespace = here.repo.project.project.name
    return {"namespace": namespace, "name": f"{thing.kind}/{thing.name}", "facets": facets}


def _identifiers(here: Step, thing: Thing, places: Iterable[str]) -> Iterator[events.Identifier]:
    for place in sorted(place for place in places if IN_COMMIT not in place):
        if not Path(place).is_absolute():
            continue  # an address in a store elsewhere
        name = shown(here.repo, place)
        if name != thing.name:
            is_folder = Path(place).is_dir()
            yield events.Identifier(name=name, type="FOLDER" if is_folder else "FILE")


def _quality(places: Mapping[str, Entry]) -> dict[str, events.AssertionsFacet]:
    found = next((one.about.quality for one in places.values() if one.about.quality), None)
    return {"dataQualityAssertions": found} if found else {}


def _statistics(places: Mapping[str, Entry]) -> dict[str, events.StatisticsFacet]:
    found = next((one.about.statistics for one in places.values() if one.about.statistics), None)
    return {"outputStatistics": found} if found else {}
