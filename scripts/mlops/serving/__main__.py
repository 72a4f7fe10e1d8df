"""`python -m mlops.serving`: serve a bento, with the code that lies in the bento."""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import mlops
from mlops.errors import Exit, MlopsError, bad_input


def main(arguments: Sequence[str]) -> int:
    """Serve until stopped; returns the exit code, problems go to standard error."""
    try:
        options = _parser().parse_args(arguments)
        bento = _checked(options.bento)
        _with_own_code(bento, arguments)
        from mlops.serving import process

        process.run(process.Options(**{**vars(options), "bento": bento}))
    except MlopsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr, flush=True)  # noqa: T201 - before any log is set up
        return _traced(error.code)
    except Exception as error:  # noqa: BLE001 - the last resort, so that the log has one line
        what = f"mlops.serving: unexpected {type(error).__name__}: {error}"
        print(f"{what}; run it again with MLOPS_DEBUG=1 for the trace", file=sys.stderr)  # noqa: T201 - before any log is set up
        return _traced(Exit.UNEXPECTED)
    return Exit.DONE


def _traced(code: Exit) -> Exit:
    if os.environ.get("MLOPS_DEBUG"):
        traceback.print_exc()
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mlops.serving",
        description="Serve a bento.",
        epilog="Example: python -m mlops.serving --bento .mlops/bentos/bike-demand/4f2a... "
        "--port 3000",
    )
    parser.add_argument("--bento", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--private", type=Path, metavar="SOCKET", help="unix socket for checks")
    parser.add_argument("--listen", type=int, metavar="FD", help="inherited listening socket")
    parser.add_argument("--control", type=int, metavar="FD", help="inherited control channel")
    parser.add_argument("--host", help="address to listen on; default: 127.0.0.1")
    parser.add_argument("--port", type=int, help="port to listen on")
    return parser


def _checked(bento: Path) -> Path:
    if not (bento / "bento.yaml").is_file():
        raise bad_input(bento, "holds no bento", "name the folder of a bento.yaml (`mlops build`)")
    return bento.resolve()


def _with_own_code(bento: Path, arguments: Sequence[str]) -> None:
    """Become a process that runs the bento's own copy of this package.

    What decides the answers is what was released, not what is installed here. No compiled
    files are written, since they would change the bento's content.
    """
    source = bento / "src"
    if Path(mlops.__file__).resolve().is_relative_to(source):
        return
    environment = {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, "-B", "-P", "-m", "mlops.serving", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
