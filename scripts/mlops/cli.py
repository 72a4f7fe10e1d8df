"""The `mlops` command line: one verb a command, loaded when it is called."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from mlops.errors import Exit, MlopsError

# name -> (module:attribute, one line of help). The line stands here so that `mlops --help`
# imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "plan": (
        "mlops.commands.plan:command",
        "What a change affects: models, services, data, environments.",
    ),
    "check": ("mlops.commands.check:command", "All the rules a pull request is held to."),
    "data": (
        "mlops.commands.data:group",
        "Datasets: validate against the contract, ingest and pin.",
    ),
    "contract": (
        "mlops.commands.contract:group",
        "Contracts of data and of features: what one enforces, only reports, and cannot check.",
    ),
    "train": (
        "mlops.commands.train:command",
        "Train a model from its pinned data and register it.",
    ),
    "tune": (
        "mlops.commands.tune:command",
        "Search better parameters for a model, on its training rows alone.",
    ),
    "evaluate": (
        "mlops.commands.evaluate:command",
        "Measure a model on unseen data against what serves; apply its gates.",
    ),
    "score": (
        "mlops.commands.score:command",
        "Predict many rows at once with a registered model: batch scoring.",
    ),
    "pipeline": (
        "mlops.commands.pipeline:group",
        "A model's steps, from raw files to predictions: run, show, submit.",
    ),
    "build": ("mlops.commands.build:command", "Build a service and its models as a bento."),
    "release": (
        "mlops.commands.release:command",
        "Open the pull request that puts a new release into the first environment.",
    ),
    "due": (
        "mlops.commands.due:command",
        "Which services a merge has to bring out as releases.",
    ),
    "retrain": (
        "mlops.commands.retrain:command",
        "Train on the newest pinned data and release what serves the model.",
    ),
    "promote": (
        "mlops.commands.promote:command",
        "Open the pull request that promotes a release to the next environment.",
    ),
    "rollback": (
        "mlops.commands.rollback:command",
        "Open the pull request that puts an earlier release back.",
    ),
    "render": (
        "mlops.commands.render:command",
        "Write manifests.yaml from the files beside it, or check it.",
    ),
    "follow": (
        "mlops.commands.follow:command",
        "Make an environment's folder real as local processes.",
    ),
    "status": (
        "mlops.commands.status:command",
        "What should serve, what serves, and what to do next.",
    ),
    "history": (
        "mlops.commands.history:command",
        "Which release served where, since when and why.",
    ),
    "diff": (
        "mlops.commands.diff:command",
        "What differs between two releases or environments, in words.",
    ),
    "init": (
        "mlops.commands.init:command",
        "Write the fork's own names, forge and stores.",
    ),
    "comment": (
        "mlops.commands.comment:command",
        "Put the report of results on their pull request; run by trusted code.",
    ),
    "merge": (
        "mlops.commands.merge:command",
        "Merge a release that the bot opened, when all is green.",
    ),
    "report": (
        "mlops.commands.report:command",
        "One report of what the checks of a change found.",
    ),
    "doctor": ("mlops.commands.doctor:command", "What this clone and machine lack."),
}


class Verbs(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """GitOps for machine learning: Git decides what serves; a revert is the rollback.

    \b
    Exit codes: 0 done, 1 the thing checked is not good, 2 the call or the files
    are wrong, 3 unexpected, 130 interrupted.

    Example: mlops status --env prod
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; problems go to standard error."""
    try:
        result: Any = cli.main(list(arguments), prog_name="mlops", standalone_mode=False)
    except MlopsError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return error.code
    except click.exceptions.Abort:
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return Exit.BAD_INPUT
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort, so that people get one line
        return _unexpected(error)
    return result if isinstance(result, int) else Exit.DONE


def _unexpected(error: Exception) -> int:
    if os.environ.get("MLOPS_DEBUG"):
        traceback.print_exc()
    else:
        click.echo(
            f"mlops: unexpected {type(error).__name__}: {error}; "
            "run it again with MLOPS_DEBUG=1 for the trace",
            err=True,
        )
    return Exit.UNEXPECTED


def main() -> None:
    """Entry point of the `mlops` script."""
    sys.exit(run(sys.argv[1:]))
