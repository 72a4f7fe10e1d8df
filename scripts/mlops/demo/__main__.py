"""`python -m mlops.demo [FOLDER]`: tell the whole story once."""

import argparse
import signal
import sys
import types
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mlops.demo.stage import Stage, StepFailed
from mlops.demo.story import tell
from mlops.errors import Exit, MlopsError

TEMPLATE = Path(__file__).parents[3]


def main() -> int:
    """Run the story; whatever happens, end everything it started."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=TEMPLATE / ".demo", help="default: .demo"
    )
    folder = parser.parse_args().folder.absolute()
    # Also where a script in the background has Ctrl-C ignored: the followers do not ignore it.
    signal.signal(signal.SIGINT, _as_interrupt)
    signal.signal(signal.SIGTERM, _as_interrupt)
    stage = Stage(TEMPLATE, folder, Console(highlight=False, soft_wrap=True))
    try:
        with stage:
            tell(stage)
    except KeyboardInterrupt:
        stage.console.print("\ninterrupted; everything that was started has been ended")
        return Exit.INTERRUPTED
    except MlopsError as error:
        stage.console.print(escape(str(error)))
        return error.code
    except StepFailed as error:
        stage.console.print(f"[red]{escape(str(error))}[/red]")
        return Exit.UNEXPECTED
    return Exit.DONE


def _as_interrupt(_signal: int, _frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


sys.exit(main())
