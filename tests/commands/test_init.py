"""mlops init writes the fork's own names, and nothing else."""

from tests.team import Team

OPTIONS = (
    "--name", "rides", "--owner", "@acme/ml", "--forge", "github", "--repository", "acme/rides",
    "--bot", "rides[bot]", "--registry", "https://mlflow.example.com", "--data", "s3://acme/dvc",
)  # fmt: skip


def test_everything_is_written_and_told(team: Team) -> None:
    done = team.mlops("init", *OPTIONS)
    assert done.returncode == 0, done.stderr
    project = team.repo.project
    assert (project.project.name, project.project.owners) == ("rides", ("@acme/ml",))
    assert (project.forge.kind, project.forge.repository) == ("github", "acme/rides")
    assert (project.stores.registry, project.stores.data) == (
        "https://mlflow.example.com",
        "s3://acme/dvc",
    )
    assert "* @acme/ml\n" in (team.root / ".github/CODEOWNERS").read_text()
    assert "A GitHub App".lower() in done.stdout.lower()
    assert done.stdout.endswith("Next: commit it, then see what is missing: mlops doctor\n")


def test_run_again_it_changes_nothing(team: Team) -> None:
    team.mlops("init", *OPTIONS)
    team.commit("Ours")
    done = team.mlops("init", *OPTIONS)
    assert done.returncode == 0
    assert done.stdout.startswith("Everything is written already.")
    assert team.git("status", "--porcelain") == ""


def test_argo_cd_reads_the_repository_on_the_forge(team: Team) -> None:
    team.mlops("init", *OPTIONS)
    assert "https://github.com/acme/rides.git" in (team.root / "infra/argocd/dev.yaml").read_text()
    assert team.mlops("render", "--check").returncode == 0


def test_an_example_address_for_argo_cd_is_replaced_and_ones_own_is_kept(team: Team) -> None:
    text = (team.root / "mlops.toml").read_text()
    argocd = '\n[argocd]\nrepository = "https://github.com/example/ml-gitops.git"\n'
    (team.root / "mlops.toml").write_text(text + argocd)
    team.mlops("init", *OPTIONS)
    assert team.repo.project.watched == "https://github.com/acme/rides.git"
    text = (team.root / "mlops.toml").read_text()
    own = "git@github.com:acme/rides.git"
    (team.root / "mlops.toml").write_text(text.replace("https://github.com/acme/rides.git", own))
    team.mlops("init", *OPTIONS)
    assert team.repo.project.watched == own


def test_environments_that_the_projects_owners_owned_go_to_the_new_ones(team: Team) -> None:
    prod = team.root / "environments/prod/env.yaml"
    ours = f'owners: ["{team.repo.project.project.owners[0]}"]'
    for name in ("dev", "staging"):
        file = team.root / f"environments/{name}/env.yaml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith("owners")]
        file.write_text("\n".join([*kept, f"{ours}   # who", ""]))
    kept = [line for line in prod.read_text().splitlines() if not line.startswith("owners")]
    prod.write_text("\n".join([*kept, 'owners: ["@acme/on-call"]', ""]))
    assert team.mlops("init", "--owner", "@acme/ml", "--owner", "@ann").returncode == 0
    assert team.repo.environment("dev").owners == ("@acme/ml", "@ann")
    assert '"@ann"]   # who\n' in (team.root / "environments/staging/env.yaml").read_text()
    assert team.repo.environment("prod").owners == ("@acme/on-call",)


def test_every_bad_value_is_told_and_nothing_is_written(team: Team) -> None:
    done = team.mlops("init", "--name", "My Project", "--forge", "github", "--repository", "rides")
    assert done.returncode == 2
    assert [line.split(", ")[0] for line in done.stderr.splitlines()] == [
        'mlops.toml: `project.name` is "My Project"',
        'mlops.toml: `forge.repository` is "rides"',
    ]
    assert team.git("status", "--porcelain") == ""


def test_an_owner_that_is_none_is_refused_before_anything_is_written(team: Team) -> None:
    done = team.mlops("init", "--owner", "ann, ben")
    assert done.returncode == 2
    assert "owner 'ann, ben' is not one" in done.stderr
    assert team.git("status", "--porcelain") == ""
