"""mlops evaluate: a model on rows it has not seen, against what serves; its gates."""

import dataclasses
import json

import click

from mlops.errors import Exit, NotGood, bad_input, not_good
from mlops.lineage.step import recorded
from mlops.repository import Repository


@click.command()
@click.argument("model")
@click.option(
    "--version",
    type=click.IntRange(min=1),
    metavar="N",
    help="This version of the registry; default: the one trained from the work tree.",
)
@click.option(
    "--against",
    metavar="ENV",
    help="Compare with what this environment serves; default: the last one.",
)
@click.option(
    "--serving",
    metavar="ENV",
    help="Instead: the model this environment serves, month by month on the pinned data.",
)
@click.option(
    "--answers",
    metavar="ENV",
    help="Instead: ask the running service for rows and compare with the registered model.",
)
@click.option(
    "--rows", type=click.IntRange(min=1), default=1000, show_default=True, help="For --answers."
)
@click.option(
    "--url",
    metavar="URL",
    help="For --answers: where the service is; default: as `mlops follow` serves it here.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    *,
    model: str,
    version: int | None,
    against: str | None,
    serving: str | None,
    answers: str | None,
    rows: int,
    url: str | None,
    as_json: bool,
) -> int:
    """Measure MODEL on the newest days of its data, which training has not seen.

    Compares it with the model that serves, or with the stated baseline while none does, and
    ends with 1 when a gate of model.yaml is not met.

    \b
    Example: mlops evaluate bike-demand
    Example: mlops evaluate bike-demand --version 2 --against staging
    Example: mlops evaluate bike-demand --serving prod
    Example: mlops evaluate bike-demand --answers dev
    """
    repo = Repository.at()
    _refuse_together(version, against, serving, answers)
    if serving is not None:
        return evaluate_serving(repo, model, serving, as_json=as_json)
    if answers is not None:
        return evaluate_answers(repo, model, answers, rows=rows, url=url, as_json=as_json)
    return evaluate(repo, model, version=version, against=against, as_json=as_json)


def _refuse_together(
    version: int | None, against: str | None, serving: str | None, answers: str | None
) -> None:
    if serving is not None and answers is not None:
        raise bad_input("--serving", "stands with --answers", "ask one at a time")
    if (serving or answers) and (version is not None or against is not None):
        raise bad_input(
            "--serving" if serving else "--answers",
            "stands with --version or --against",
            "drop them: the model is the one that serves",
        )


@recorded("evaluate")
def evaluate(
    repo: Repository,
    model: str,
    *,
    version: int | None = None,
    against: str | None = None,
    as_json: bool = False,
) -> int:
    """Measure a registered model and hold it to its gates.

    Raises:
        NotGood: naming every gate that is not met.
    """
    from mlops.commands import evaluate_report as report
    from mlops.training.candidate import registered_of
    from mlops.training.champion import champion_in
    from mlops.training.outcome import outcome_of

    environment = repo.known(against or repo.order[-1])
    registered = registered_of(repo, model, version)
    champion = champion_in(repo, repo, model, environment)
    services = tuple(name for name in repo.services() if model in repo.service(name).models)
    outcome = outcome_of(repo, repo, registered, environment, champion, services=services)
    click.echo(json.dumps(report.as_json(outcome))) if as_json else report.show(outcome)
    if outcome.unmet:
        raise NotGood(outcome.unmet)
    return Exit.DONE


@recorded("evaluate.serving")
def evaluate_serving(
    repo: Repository, model: str, environment: str, *, as_json: bool = False
) -> int:
    """How the model that serves an environment does on the pinned data, month by month."""
    from mlops.commands import evaluate_report as report
    from mlops.data.pin import fetch, read_pin
    from mlops.data.table import load
    from mlops.training.champion import serving_in
    from mlops.training.holdout import check_columns
    from mlops.training.months import by_month

    spec = repo.model(model)
    champion = serving_in(repo, repo, model, environment)
    rows = load(fetch(repo, read_pin(repo, spec.data.dataset)))
    check_columns(spec, rows)
    months = by_month(spec, rows, champion.scorer)
    if as_json:
        body = [dataclasses.asdict(month) for month in months]
        drift = [[entry.model_dump(mode="json") for entry in month.drift] for month in months]
        click.echo(json.dumps([{**one, "drift": d} for one, d in zip(body, drift, strict=True)]))
    else:
        report.show_months(model, champion, months)
    return Exit.DONE


@recorded("evaluate.answers")
def evaluate_answers(
    repo: Repository,
    model: str,
    environment: str,
    *,
    rows: int,
    url: str | None = None,
    as_json: bool = False,
) -> int:
    """Whether a running service answers what the registered model predicts, bit for bit.

    Raises:
        NotGood: when an answer differs, or the service does not answer.
    """
    from mlops.training.answers import compare_answers

    found = compare_answers(repo, model, environment, rows, url)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found)))
    elif not found.different:
        click.echo(
            f"{environment} release {found.release}: {found.rows} answers in {found.requests} "
            "requests equal the registered model's predictions, bit for bit"
        )
    if found.different:
        raise not_good(
            f"environments/{environment}",
            f"{found.different} of {found.rows} answers differ from the registered model's "
            f"predictions, by {found.largest:g} at most",
            "see that its bento was built from this release: mlops check",
        )
    return Exit.DONE
