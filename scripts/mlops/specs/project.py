"""mlops.toml: the fork's names, its forge, the path of a promotion and its stores."""

import re
from typing import Literal

from pydantic import Field, model_validator

from mlops.specs.base import PINNED_IMAGE, Name, Spec

GITHUB = "https://github.com"
Engine = Literal["duckdb", "great-expectations"]
IN_ENVIRONMENT = r"^[^$]*(\$\{[A-Z][A-Z0-9_]*\}[^$]*)*$"
"""Text in which `${NAME}` stands for an environment variable."""


class Names(Spec):
    """Who the project is."""

    name: Name
    owners: tuple[str, ...] = ()


class Forge(Spec):
    """Where pull requests live; `local` is a bare repository with texts as files.

    The token is in the environment variable FORGE_TOKEN, never in a file.
    """

    kind: Literal["local", "github", "gitea"] = "local"
    url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?$",
        description="address of the forge, without a user or a token; default: github.com",
    )
    repository: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$",
        description="OWNER/NAME on the forge",
    )
    bot: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[bot\])?$",
        description="login of who opens releases, whose pull requests merge themselves",
    )
    remote: str = "origin"
    main: str = "main"


class Environments(Spec):
    """The path of a promotion, first environment first."""

    order: tuple[Name, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_environment_twice(self) -> "Environments":
        if len(set(self.order)) != len(self.order):
            raise ValueError("an environment stands twice")
        return self


class Stores(Spec):
    """Where artifacts live; `root` is a folder relative to mlops.toml."""

    root: str = ".mlops"
    registry: str | None = Field(
        default=None, description="MLflow tracking URI; default: SQLite below root"
    )
    data: str | None = Field(
        default=None, description="DVC remote URL; default: a folder below root"
    )


class Lineage(Spec):
    """Where lineage events go beside the stores."""

    url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?$",
        description="backend that takes OpenLineage (Marquez), without its /api/v1/lineage; its "
        "key is in the environment variable OPENLINEAGE_API_KEY; default: none",
    )


class Argocd(Spec):
    """What Argo CD reads and where it runs; its access to Git is a secret of the cluster."""

    repository: str | None = Field(
        default=None,
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+/|ssh://[A-Za-z0-9._-]+@[A-Za-z0-9.:\[\]-]+/"
        r"|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:)[A-Za-z0-9._/-]+$",
        description="address of this repository as Argo CD reads it; default: that of [forge]",
    )
    namespace: Name = "argocd"
    platform: tuple[Name, ...] = Field(
        default=(),
        description="folders of infra/platform that the cluster of Argo CD gets; default: none",
    )
    rollouts: Name | None = Field(
        default=None,
        description="namespace of Argo Rollouts in the clusters whose env.yaml names a "
        "`prometheus`: its notifications are rendered, so that an abort opens the rollback pull "
        "request; the forge has to be known",
    )


class Checks(Spec):
    """What a pull request is held to."""

    sample: tuple[Name, ...] = Field(
        default=(),
        description="models, or services for the models they serve, that are checked when "
        "something shared changes that should not change results; default: the first model",
    )


class Server(Spec):
    """A database, or a Spark, in which tables of contracts lie."""

    url: str = Field(
        pattern=IN_ENVIRONMENT,
        description="SQLAlchemy's, such as postgresql+pg8000://${DB_USER}:${DB_PASSWORD}@host/db; "
        "or Spark's: sc://host:15002 of Spark Connect, or a master, spark://host:7077 or local[2]; "
        "what is secret comes from environment variables",
    )
    namespace: str | None = Field(
        default=None,
        description="schema of the tables; default: the database's, or the session's, own",
    )
    parquet: str | None = Field(
        default=None,
        pattern=r"\{table\}",
        description="Parquet files for Spark to read in place of the catalog's tables, such as "
        "s3a://lake/{table}/",
    )

    @model_validator(mode="after")
    def _parquet_is_for_spark(self) -> "Server":
        if self.parquet is not None and not self.is_spark:
            raise ValueError("parquet is for Spark: a url of sc://, spark:// or local[N]")
        if self.parquet is not None and self.namespace is not None:
            raise ValueError("parquet and namespace are two places; leave one out")
        return self

    @property
    def is_spark(self) -> bool:
        """Whether it is Spark that answers there."""
        return re.match(r"(sc|spark)://|local(\[.+\])?$", self.url) is not None


class Data(Spec):
    """How datasets are checked."""

    engine: Engine = Field(
        default="duckdb",
        description="what checks the rules of files: DuckDB, in one pass, and Great Expectations "
        "what SQL cannot say; or Great Expectations all but queries",
    )
    servers: dict[Name, Server] = Field(
        default={}, description="where tables are checked in place: `mlops data validate --server`"
    )


class Images(Spec):
    """What the images of services are made from."""

    base: str = Field(
        pattern=PINNED_IMAGE,
        description="image with Python 3.11, libgomp and libstdc++, NAME[:TAG]@sha256:HEX with "
        "its registry; `mlops init --base-image NAME:TAG` finds the digest",
    )


class Workflows(Spec):
    """How pipelines run on a cluster: what `mlops render` makes infra/workflows of."""

    namespace: Name = "argo-workflows"
    service_account: Name = Field(
        default="argo-workflow", description="whose only right is to report a step's result"
    )
    image: str | None = Field(
        default=None,
        pattern=PINNED_IMAGE,
        description="image with Git and the packages of requirements/train.txt, by digest; made "
        "by infra/workflows/Dockerfile",
    )
    git_login: Name | None = Field(
        default=None,
        description="Secret with `username` and `password` that read the repository; a public "
        "one needs none",
    )


class Project(Spec):
    """mlops.toml, the fork's own names."""

    project: Names
    forge: Forge = Forge()
    environments: Environments
    stores: Stores = Stores()
    lineage: Lineage = Lineage()
    checks: Checks = Checks()
    data: Data = Data()
    argocd: Argocd = Argocd()
    images: Images | None = None
    workflows: Workflows = Workflows()

    @property
    def watched(self) -> str | None:
        """The repository's address for Argo CD; None when nothing says where it is."""
        if self.argocd.repository or self.page is None:
            return self.argocd.repository
        return f"{self.page}.git"

    @property
    def page(self) -> str | None:
        """The repository's page on the forge; None when it has none, or nothing says where."""
        forge = self.forge
        if forge.kind == "local" or forge.repository is None:
            return None
        if forge.kind == "gitea" and forge.url is None:
            return None
        return f"{(forge.url or GITHUB).rstrip('/')}/{forge.repository}"
