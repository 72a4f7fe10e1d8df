"""`python -m mlops.demo`: tell the whole story once."""

import signal
import sys
import types
from pathlib import Path

from rich.console import Console

from mlops.demo.stage import Stage, StepFailed
from mlops.demo.story import tell
from mlops.errors import Exit, MlopsError

TEMPLATE = Path(__file__).parents[3]


def main() -> int:
    """Run the story; whatever happens, end everything it started."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    stage = Stage(TEMPLATE, TEMPLATE / ".demo", Console(highlight=False, soft_wrap=True))
    try:
        with stage:
            tell(stage)
    except KeyboardInterrupt:
        stage.console.print("\ninterrupted; everything that was started has been ended")
        return Exit.INTERRUPTED
    except (StepFailed, MlopsError) as error:
        stage.console.print(f"[red]{error}[/red]", highlight=False)
        return Exit.UNEXPECTED
    return Exit.DONE


def _as_interrupt(_signal: int, _frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


sys.exit(main())
