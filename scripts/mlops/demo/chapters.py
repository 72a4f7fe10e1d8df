"""What happens in each chapter. Every `stage.run` is a line a person can type in `.demo/team`."""

import re
import time

from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from mlops.demo.load import Load
from mlops.demo.stage import Stage, StepFailed

SERVICE = "bike-demand"
DATASET = "bike-rentals"
RAW = f"data-contracts/{DATASET}/raw"
WAIT = "60"


def forge_and_followers(stage: Stage) -> None:
    """A bare repository is the forge; one follower makes each environment's folder real."""
    stage.chapter(
        "1. A forge, a team, three environments",
        "A bare Git repository stands in for GitHub, `mlops follow` for Argo CD: it makes what the "
        "main branch says real, as processes on this machine.",
    )
    stage.prepare()
    stage.say(f"the team's clone is {stage.team}; every command below is typed there")
    stage.run("git", "init", "--quiet", "--bare", "--initial-branch=main", "../forge.git")
    stage.run("git", "init", "--quiet", "--initial-branch=main")
    stage.run("git", "config", "user.name", "The Team")
    stage.run("git", "config", "user.email", "team@example.com")
    stage.run("git", "remote", "add", "origin", "../forge.git")
    stage.run("git", "add", "--all")
    stage.run("git", "commit", "--quiet", "--message", "Start from the template")
    stage.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    for environment in ("dev", "staging", "prod"):
        stage.background("mlops", "follow", environment, log=f"follow-{environment}.log")
    stage.run("mlops", "doctor")


def data(stage: Stage) -> None:
    """January to March, checked against the contract and pinned by content."""
    stage.chapter(
        "2. Data: January to March",
        "Raw files are checked against the contract; what passes becomes a version of the dataset, "
        "and Git holds its hash.",
    )
    stage.run("mlops", "data", "ingest", DATASET, *_months(1, 2, 3))
    _commit_and_push(stage, "Pin January to March")
    stage.run("mlops", "data", "validate", DATASET)


def model(stage: Stage) -> None:
    """Training, registration, evaluation on unseen days, gates."""
    stage.chapter(
        "3. Model: train, register, evaluate",
        "The newest two weeks are never trained on. Nothing serves yet, so the candidate is "
        "compared with the stated baseline. The gates are data in models/bike-demand/model.yaml.",
    )
    stage.run("mlops", "train", SERVICE)
    stage.run("mlops", "evaluate", SERVICE)


def first_release(stage: Stage) -> None:
    """Build, release to dev, serve, compare answers."""
    stage.chapter(
        "4. Release to dev",
        "One command builds the service, measures, writes evidence and release, and opens a pull "
        "request. Merging it is what deploys.",
    )
    stage.run("mlops", "release", SERVICE)
    _show_pull_request(stage, f"release/{SERVICE}-1")
    _merge(stage, f"release/{SERVICE}-1", f"Release {SERVICE} 1 to dev")
    stage.run("mlops", "status", "--env", "dev", "--wait", WAIT)
    stage.say("the same rows, over HTTP and offline from the registered model:")
    stage.run("mlops", "evaluate", SERVICE, "--answers", "dev", "--rows", "1000")


def promotions(stage: Stage) -> None:
    """dev to staging to prod, each a pull request with one service's files."""
    stage.chapter(
        "5. Promotion: dev, staging, prod",
        "A promotion copies one file, release.yaml, byte for byte; decision.yaml says why, "
        "manifests.yaml is rendered from both.",
    )
    stage.say("in a hurry, straight to prod? The rules say no:")
    stage.run("mlops", "promote", SERVICE, "--to", "prod", expect=1)
    _promote(stage, 1, "staging", read=True)
    _promote(stage, 1, "prod")
    stage.run("mlops", "status")


def refusals(stage: Stage) -> None:
    """A worse candidate, a mutable name, two services at once: refused, with the reason."""
    stage.chapter(
        "6. What is refused",
        "A worse model by its gates; a pull request that breaks the rules by `mlops check`.",
    )
    stage.say("somebody makes the model smaller, to be faster:")
    stage.run("git", "switch", "--quiet", "--create", "smaller-model")
    spec = stage.team / f"models/{SERVICE}/model.yaml"
    spec.write_text(_crippled(spec.read_text()))
    stage.run("git", "diff", "--unified=0", "--no-color", "models")
    stage.run("git", "commit", "--quiet", "--all", "--message", "A smaller model")
    stage.run("mlops", "train", SERVICE)
    stage.run("mlops", "evaluate", SERVICE, expect=1)

    stage.say("somebody writes `latest` where a digest belongs:")
    _branch(stage, "mutable")
    release = stage.team / f"environments/prod/{SERVICE}/release.yaml"
    release.write_text(_with_tag(release.read_text()))
    stage.run("git", "commit", "--quiet", "--all", "--message", "Always the newest image")
    stage.run("mlops", "check", expect=2)

    stage.say("somebody changes two services in one pull request:")
    _branch(stage, "two-services")
    text = (stage.team / f"environments/prod/{SERVICE}/settings.yaml").read_text()
    for service in (SERVICE, "other-service"):
        settings = stage.team / f"environments/prod/{service}/settings.yaml"
        settings.parent.mkdir(exist_ok=True)
        named = text.replace(f"service: {SERVICE}", f"service: {service}")
        settings.write_text(named + "hosts: [bikes.example.com]\n")
    stage.run("git", "add", "--all")
    stage.run("git", "commit", "--quiet", "--message", "Hosts for two services")
    stage.run("mlops", "check", expect=1)
    stage.run("git", "switch", "--quiet", "main")


def drift_and_retraining(stage: Stage) -> None:
    """April to June drift; the model that serves gets worse; a retrained one takes over."""
    stage.chapter(
        "7. April to June: drift, retraining, the same path again",
        "Spring comes: more bikes, other weather. The model that serves has never seen it.",
    )
    stage.run("mlops", "data", "ingest", DATASET, *_months(4, 5, 6))
    _commit_and_push(stage, "Pin April to June")
    stage.run("mlops", "evaluate", SERVICE, "--serving", "prod")
    stage.say("the same code, trained on the data as it is now, against what serves prod:")
    stage.run("mlops", "train", SERVICE)
    stage.run("mlops", "evaluate", SERVICE)
    stage.run("mlops", "release", SERVICE)
    _merge(stage, f"release/{SERVICE}-2", f"Release {SERVICE} 2 to dev")
    stage.run("mlops", "status", "--env", "dev", "--wait", WAIT, last=0)
    _promote(stage, 2, "staging")
    _promote(stage, 2, "prod", read=True)
    stage.run("mlops", "diff", "1", "2", SERVICE)


def rollback(stage: Stage) -> None:
    """git revert under load."""
    stage.chapter(
        "8. Rollback: git revert, under load",
        "A client asks prod all the time, over kept and over fresh connections, without retries, "
        "each answer due within a second.",
    )
    load = Load(stage, SERVICE, "prod")
    stage.run("git", "revert", "--no-edit", "HEAD")
    stage.run("mlops", "check", "--base", "origin/main")
    pushed = time.time()
    stage.run("git", "push", "--quiet")
    stage.run("mlops", "status", "--env", "prod", "--wait", WAIT)
    load.go_on(2.0)
    tally = load.end()
    withdrawn, restored = tally["releases"]["2"], tally["releases"]["1"]
    seconds = withdrawn["last"] - pushed
    stage.say(
        f"the first answer of release 1 came {restored['first'] - pushed:.2f} s after the push, "
        f"the last of release 2 after {seconds:.2f} s; {tally['sent']} asked, {tally['lost']} lost"
    )
    stage.result("revert pushed to the last answer of the withdrawn release", f"{seconds:.2f} s")
    stage.result("requests during the revert, lost", f"{tally['sent']}, {tally['lost']}")
    if tally["lost"]:
        raise StepFailed(f"requests were lost during the rollback: {tally['reasons']}")
    stage.say("with its own data version:")
    stage.run("mlops", "diff", "prod", "staging", SERVICE)
    stage.run("mlops", "history", SERVICE, "--env", "prod")
    stage.say("the registry's aliases follow what is confirmed serving:")
    stage.run("mlops", "status", "--env", "prod", "--aliases")


def summary(stage: Stage) -> None:
    """What happened, and what to try next."""
    stage.console.print()
    stage.console.rule("[bold]Summary[/bold]", align="left")
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in stage.results.items():
        table.add_row(escape(name), escape(value))
    table.add_row(
        "[bold]time in all[/bold]", f"[bold]{time.monotonic() - stage.started:.0f} s[/bold]"
    )
    stage.console.print(table)
    _next_steps(stage)


def _next_steps(stage: Stage) -> None:
    console = stage.console
    console.print(
        f"\nEverything is left in [bold]{escape(str(stage.folder))}[/bold]. To look around:"
    )
    uri = f"sqlite:///{stage.stores / 'mlflow.db'}"
    for line, what in (
        (f"cd {stage.team} && . {stage.template}/.venv/bin/activate", "type commands as the team"),
        ("mlops follow prod", "serve prod again (Ctrl-C ends it)"),
        (f"mlops history {SERVICE}", "what served where, since when and why"),
        ("mlops diff staging prod", "what differs between environments"),
        (f"mlops rollback {SERVICE} --env staging", "the pull request of a rollback"),
        (f"cat environments/prod/{SERVICE}/release.yaml", "the promoted file"),
        (f"ls {stage.stores / 'pull-requests'}", "what a reviewer reads"),
        (f"mlflow ui --backend-store-uri {uri}", "runs, models and aliases in MLflow"),
    ):
        console.print(f"  [cyan]{escape(line)}[/cyan]\n      [dim]{escape(what)}[/dim]")


def _months(*numbers: int) -> list[str]:
    return [f"{RAW}/2011-{number:02}.csv" for number in numbers]


def _commit_and_push(stage: Stage, message: str) -> None:
    stage.run("git", "add", "--all")
    stage.run("git", "commit", "--quiet", "--message", message)
    stage.run("git", "push", "--quiet")


def _promote(stage: Stage, release: int, environment: str, *, read: bool = False) -> None:
    branch = f"promote/{SERVICE}-{release}-to-{environment}"
    stage.run("mlops", "promote", SERVICE, "--to", environment)
    if read:
        _show_pull_request(stage, branch)
    _merge(stage, branch, f"Promote {SERVICE} {release} to {environment}")
    stage.run("mlops", "status", "--env", environment, "--wait", WAIT, last=0)


def _merge(stage: Stage, branch: str, message: str) -> None:
    """What a forge's squash-merge button does, after the checks of the pull request."""
    stage.run("git", "switch", "--quiet", branch)
    stage.run("mlops", "check", "--base", "origin/main")
    stage.run("git", "switch", "--quiet", "main")
    stage.run("git", "merge", "--quiet", "--squash", branch, last=0)
    stage.run("git", "commit", "--quiet", "--message", message)
    stage.run("git", "push", "--quiet")


def _branch(stage: Stage, name: str) -> None:
    stage.run("git", "switch", "--quiet", "--create", name, "main")


def _show_pull_request(stage: Stage, branch: str) -> None:
    file = stage.stores / "pull-requests" / f"{branch.replace('/', '__')}.md"
    stage.say(f"the pull request's text ({file.relative_to(stage.folder)}):")
    stage.console.print(Panel(Markdown(_without_folds(file.read_text())), border_style="dim"))


def _without_folds(text: str) -> str:
    """The text without its folded parts, as a reviewer first sees it."""
    return re.sub(
        r"<details>.*?<summary>(.*?)</summary>.*?</details>",
        r"_(folded: \1)_",
        text,
        flags=re.DOTALL,
    )


def _crippled(spec: str) -> str:
    """The spec with trees of two leaves and few of them."""
    return re.sub(r"rounds: \d+", "rounds: 20", re.sub(r"num_leaves: \d+", "num_leaves: 2", spec))


def _with_tag(release: str) -> str:
    """The release with an image by tag."""
    image = "image:\n  name: ml-gitops/bike-demand\n  digest: latest\n"
    return release.replace("models:\n", f"{image}models:\n", 1)
