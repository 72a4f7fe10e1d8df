"""The model registry: MLflow, where a model is its content and a number is a label of it."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from mlops import digests
from mlops.errors import NotHere, Problem, bad_input
from mlops.files import write_whole
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.registry_facts import Entry, Facts
from mlops.repository import Repository

ARTIFACT = "model"
"""Folder of a run's artifacts that holds the model's files."""
TRAINED = "trained"


@dataclass(frozen=True)
class Registered:
    """A version of a model in the registry."""

    model: str
    version: int
    digest: str
    inputs: str
    run_id: str


Args = ParamSpec("Args")
Given = TypeVar("Given")


Method = Callable[Concatenate["Registry", Args], Given]


def _told_when_away(method: Method[Args, Given]) -> Method[Args, Given]:
    """A registry elsewhere that cannot be used is one problem, not a trace of its client."""

    @wraps(method)
    def told(self: "Registry", /, *args: Args.args, **kwargs: Args.kwargs) -> Given:
        if self.embedded:
            return method(self, *args, **kwargs)
        from mlflow.exceptions import MlflowException

        try:
            return method(self, *args, **kwargs)
        except (MlflowException, OSError) as error:
            what = f"cannot be used as registry ({type(error).__name__})"
            fix = "check its address, `registry` below [stores] in mlops.toml, and your access"
            raise NotHere(Problem(self.uri, what, fix)) from error

    return told


@dataclass(frozen=True)
class Run:
    """Something that was tried, and gave no version: its settings as text, and its figures."""

    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Registry:
    """One project's registry; each method raises NotHere when one elsewhere cannot be used.

    Attributes:
        uri: MLflow's tracking URI.
        stores: folder of the embedded stores; fetched models are kept there by digest.
        environments: names that the aliases kept by `set_aliases` start with.
        embedded: whether `uri` is the database below `stores`.
    """

    uri: str
    stores: Path
    environments: tuple[str, ...]
    embedded: bool

    @classmethod
    def of(cls, repo: Repository) -> "Registry":
        """The registry that mlops.toml names."""
        named = repo.project.stores.registry
        uri = named or f"sqlite:///{repo.stores / 'mlflow.db'}"
        return cls(uri, repo.stores, repo.order, embedded=named is None)

    @_told_when_away
    def find(
        self,
        model: str,
        *,
        inputs: str | None = None,
        digest: str | None = None,
        version: int | None = None,
    ) -> Registered | None:
        """The version of exactly these inputs, this content or this number, or None."""
        if version is not None:
            return self._numbered(model, version)
        tag = f"`{_tag_of(inputs)}` = '{TRAINED}'" if inputs else f"digest = '{digest}'"
        found = self._search(f"name = '{model}' and tags.{tag}")
        return _registered(min(found, key=_number), inputs) if found else None

    @_told_when_away
    def get(self, model: str, version: int) -> Registered:
        """A version by its number.

        Raises:
            BadInput: when the registry lacks it; says what it has.
        """
        found = self._numbered(model, version)
        if found is None:
            numbers = sorted(_number(entry) for entry in self._search(f"name = '{model}'"))
            there = f"it has {_listed(numbers)}" if numbers else "it has none of this model"
            raise bad_input(
                f"models/{model}",
                f"the registry lacks version {version}, {there}",
                "name a version it has" if numbers else f"run `mlops train {model}`",
            )
        return found

    @_told_when_away
    def register(  # noqa: PLR0917 - what is kept of one training
        self,
        model: str,
        files: Mapping[str, bytes],
        inputs: str,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> Registered:
        """Register a model's files; the same content again gives the number it has.

        Args:
            model: name of the model, of its experiment and of its registered model.
            files: the artifact.
            inputs: digest of what it was trained from.
            params: settings of the run.
            metrics: figures of the run.
            tags: whatever else says where it comes from.
        """
        digest = digests.of_files(files)
        client = self._client
        with self._alone():
            known = self.find(model, digest=digest)
            if known is None:
                run_id = self._tracked(model, files, params, metrics, {**tags, "digest": digest})
                version = self._versioned(model, run_id, {"digest": digest, "inputs": inputs})
            else:
                run_id, version = known.run_id, known.version
            # Other inputs (a comment changed) that give the same content are the same version.
            client.set_model_version_tag(model, str(version), _tag_of(inputs), TRAINED)
        # Asked while MLflow is loaded: the commands that follow need not load it.
        self.find(model, inputs=inputs)
        made = Registered(model, version, digest, inputs, run_id)
        told.wrote(self._place(made), digest, _thing(made))
        return made

    @_told_when_away
    def fetch(self, registered: Registered) -> Path:
        """Folder with the model's files, verified.

        Raises:
            BadInput: when what the registry holds is not what was registered.
        """
        folder = self.stores / "models" / registered.digest.removeprefix(digests.PREFIX)
        if folder.is_dir() and digests.of_folder(folder) == registered.digest:
            told.read(folder, registered.digest, _thing(registered))
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
            self._client.download_artifacts(registered.run_id, ARTIFACT, temporary)
            fetched = Path(temporary) / ARTIFACT
            _verify(registered, digests.of_folder(fetched))
            shutil.rmtree(folder, ignore_errors=True)
            _put(fetched, folder)
        told.read(self._place(registered), registered.digest, _thing(registered))
        told.wrote(folder, registered.digest, _thing(registered))
        return folder

    @_told_when_away
    def log(self, registered: Registered, metrics: Mapping[str, float]) -> None:
        """Add figures to a version's run."""
        for name, value in metrics.items():
            self._client.log_metric(registered.run_id, name, value)

    @_told_when_away
    def record(self, experiment: str, run: Run) -> None:
        """Keep a run that is over; killed in between, `recorded` does not give it."""
        from mlflow.entities import Metric, Param

        client = self._client
        with self._alone():
            run_id = client.create_run(
                self._experiment(experiment), tags=dict(run.tags)
            ).info.run_id
            client.log_batch(
                run_id,
                metrics=[Metric(name, value, 0, 0) for name, value in run.metrics.items()],
                params=[Param(name, value) for name, value in run.params.items()],
            )
            client.set_terminated(run_id)

    @_told_when_away
    def recorded(self, experiment: str, tag: str, value: str) -> list[Run]:
        """The whole runs of an experiment that have this tag, the oldest first."""
        if self._empty:
            return []
        found = self._client.get_experiment_by_name(experiment)
        if found is None:
            return []
        asked = f"attributes.status = 'FINISHED' and tags.`{tag}` = '{value}'"
        runs: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [found.experiment_id], asked, order_by=["start_time", "run_id"], page_token=token
            )
            runs += [Run(one.data.tags, one.data.params, one.data.metrics) for one in page]
            token = page.token
            if not token:
                return runs

    @_told_when_away
    def aliases(self, model: str) -> dict[str, int]:
        """Aliases of a model's versions; none when the registry does not know the model."""
        if self._empty:
            return {}
        found = self._client.search_registered_models(f"name = '{model}'")
        return {alias: int(version) for entry in found for alias, version in entry.aliases.items()}

    @_told_when_away
    def set_aliases(self, model: str, wanted: Mapping[str, int]) -> None:
        """Make the aliases `<environment>-<service>` exactly these; others stay as they are."""
        now = self.aliases(model)
        ours = tuple(f"{environment}-" for environment in self.environments)
        for alias in now:
            if alias.startswith(ours) and alias not in wanted:
                self._client.delete_registered_model_alias(model, alias)
        for alias, version in wanted.items():
            if now.get(alias) != version:
                self._client.set_registered_model_alias(model, alias, str(version))

    @cached_property
    def _client(self) -> Any:
        made = _client_class()
        with self._alone():
            if self._empty:
                self._make_database()
            return _opened(made, self.uri)

    def _make_database(self) -> None:
        """Whole or not at all: MLflow makes it in many steps, and goes on from none of them."""
        with tempfile.TemporaryDirectory(dir=self.stores, prefix=".mlflow-") as folder:
            file = Path(folder) / self._database.name
            _opened(_client_class(), f"sqlite:///{file}")
            file.replace(self._database)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the registry against this machine's other processes: find and create are one."""
        self.stores.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.stores / "registry.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _place(self, registered: Registered) -> str:
        """Where MLflow keeps a version's files: a folder, or MLflow's own address of it."""
        if not self.embedded:
            return f"runs:/{registered.run_id}/{ARTIFACT}"
        artifacts = self.stores / "mlflow-artifacts" / registered.model
        return str(artifacts / registered.run_id / "artifacts" / ARTIFACT)

    def _numbered(self, model: str, version: int) -> Registered | None:
        found = self._search(f"name = '{model}' and version_number = {version}")
        return _registered(found[0], None) if found else None

    @property
    def _database(self) -> Path:
        """The embedded registry's file."""
        return self.stores / "mlflow.db"

    @property
    def _empty(self) -> bool:
        """Whether nothing was ever registered; known without loading MLflow."""
        return self.embedded and not self._database.exists()

    def _search(self, query: str) -> list[Entry]:
        if self._empty:
            return []
        if not self.embedded:
            return self._asked(query)
        facts = Facts(self._database)
        known = facts.answer(query)
        if known is not None:
            return known
        self._client  # noqa: B018 - MLflow may bring the database up to date, which changes it
        state = facts.state()
        found = self._asked(query)
        facts.keep(state, query, found)
        return found

    def _asked(self, query: str) -> list[Entry]:
        found: list[Entry] = []
        token = None
        while True:
            page = self._client.search_model_versions(query, max_results=1000, page_token=token)
            found += [Entry(one.name, int(one.version), one.run_id, dict(one.tags)) for one in page]
            token = page.token
            if not token:
                return found

    def _tracked(
        self,
        model: str,
        files: Mapping[str, bytes],
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> str:
        """The id of a finished run with the model's files as artifacts."""
        client = self._client
        run_id = str(client.create_run(self._experiment(model), tags=dict(tags)).info.run_id)
        for name, value in params.items():
            client.log_param(run_id, name, value)
        for name, number in metrics.items():
            client.log_metric(run_id, name, number)
        with tempfile.TemporaryDirectory(prefix="mlops-artifact-") as folder:
            for name, content in files.items():
                write_whole(Path(folder) / name, content)
            client.log_artifacts(run_id, folder, ARTIFACT)
        client.set_terminated(run_id)
        return run_id

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        place = (self.stores / "mlflow-artifacts" / name).as_uri() if self.embedded else None
        if self._client.get_experiment_by_name(name) is None:
            try:
                self._client.create_experiment(name, artifact_location=place)
            except MlflowException as error:  # another machine made it in between
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
        return str(self._client.get_experiment_by_name(name).experiment_id)

    def _versioned(self, model: str, run_id: str, tags: Mapping[str, str]) -> int:
        """The number of a new version with the files of a run."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
        made = self._client.create_model_version(model, source, run_id, tags=dict(tags))
        return int(made.version)


def _opened(made: Any, uri: str) -> Any:
    """A client that has asked both of its stores, which makes or mends their tables."""
    client = made(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
    return client


def _client_class() -> Any:
    """MLflow's client, which reports nothing home and says only what is wrong."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    # MLflow's own number, 7, waits four minutes for a server that is not there.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    from mlflow.tracking import MlflowClient

    logging.getLogger("alembic").setLevel(logging.WARNING)
    return MlflowClient


def _thing(registered: Registered) -> Thing:
    return Thing("model", registered.model, registered.digest, str(registered.version))


def _tag_of(inputs: str) -> str:
    return f"inputs/{inputs.removeprefix(digests.PREFIX)}"


def _number(entry: Entry) -> int:
    return entry.version


def _registered(entry: Entry, inputs: str | None) -> Registered:
    tags = entry.tags
    if "digest" not in tags or "inputs" not in tags:
        raise bad_input(
            f"models/{entry.name}",
            f"version {entry.version} in the registry carries no digest, mlops did not register it",
            "delete that version, or train the model again",
        )
    return Registered(
        entry.name, entry.version, tags["digest"], inputs or tags["inputs"], entry.run_id
    )


def _listed(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {', '.join(map(str, numbers[-5:]))}"


def _verify(registered: Registered, found: str) -> None:
    if found != registered.digest:
        raise bad_input(
            f"models/{registered.model}",
            f"version {registered.version} in the registry holds {found}, "
            f"it was registered as {registered.digest}",
            f"restore its files, or delete the version and run `mlops train {registered.model}`",
        )


def _put(fetched: Path, folder: Path) -> None:
    try:
        fetched.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process put the same content there first
            raise
