"""Another machine as far as a process can tell: clock, hash seed, time zone, home, user."""

from pathlib import Path

# Run by Python before anything else: the clock is years ahead.
OTHER_CLOCK = """
import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + 1e8
time.time_ns = lambda: _time_ns() + 10**17
"""
# Not for processes that load pandas, whose C code counts on the real class.
OTHER_DATES = """
import datetime
_datetime = datetime.datetime
class Later(_datetime):
    @classmethod
    def now(cls, tz=None):
        return _datetime.now(tz) + datetime.timedelta(seconds=1e8)
datetime.datetime = Later
"""


def elsewhere(folder: Path, *, dates: bool = False) -> dict[str, str]:
    """Environment variables of that machine; its clock lies in `folder`.

    Args:
        folder: a folder of the test's own.
        dates: whether `datetime.now` is another, too.
    """
    clock = folder / "clock"
    clock.mkdir(parents=True, exist_ok=True)
    (clock / "sitecustomize.py").write_text(OTHER_CLOCK + OTHER_DATES * dates)
    return {
        "PYTHONHASHSEED": "17",
        "PYTHONPATH": str(clock),
        "HOME": str(folder),
        "USER": "somebody",
        "TZ": "Pacific/Auckland",
        "LANG": "C",
    }
