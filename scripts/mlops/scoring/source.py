"""A model's own Python files, run as modules from their bytes: of a file or of a commit."""

import sys
from types import ModuleType

from mlops import digests
from mlops.errors import bad_input


def module_of(content: bytes, shown: str) -> ModuleType:
    """The module that a source file defines.

    Args:
        content: the file's bytes.
        shown: its path, for messages and traces.

    Raises:
        BadInput: when it cannot be run.
    """
    # Named by content, so that a champion's and a challenger's code live side by side.
    name = f"mlops_source_{digests.short(digests.of_bytes(content))}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = shown
    # pydantic looks a class's annotations up in the module of that name.
    sys.modules[name] = module
    try:
        exec(compile(content, shown, "exec"), module.__dict__)  # noqa: S102 - the model's own code
    except Exception as error:
        del sys.modules[name]
        what = f"could not be loaded ({type(error).__name__}: {error})"
        raise bad_input(shown, what, "correct the file") from error
    return module
