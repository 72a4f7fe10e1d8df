"""Identities of answers: UUIDs of version 7 (RFC 9562), which begin with the time.

The twelve bits behind the milliseconds are the rest of the moment (method 3 of the RFC), so that
those of one process rise.
"""

from datetime import UTC, datetime, timedelta
from random import getrandbits
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRECISION = timedelta(microseconds=1)
"""How far the moment that an identity tells may lie before that of its answer."""


def identity_at(nanoseconds: int) -> str:
    """A new identity for a moment (nanoseconds since 1970, UTC)."""
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | getrandbits(62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment_of(text: str) -> datetime | None:
    """When an answer was given, to the microsecond; None when the text is no identity."""
    try:
        identity = UUID(text)
    except ValueError:
        return None
    if identity.version != 7 or str(identity) != text.lower():
        return None
    milliseconds, fraction = identity.int >> 80, identity.int >> 64 & 0xFFF
    return EPOCH + timedelta(milliseconds=milliseconds, microseconds=fraction * 1000 // 4096)
