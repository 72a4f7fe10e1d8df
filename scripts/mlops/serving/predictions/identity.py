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
    chance = getrandbits(62)
    return (
        f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{(rest << 12) // 1_000_000:03x}"
        f"-{0x8000 | chance >> 48:04x}-{chance & 0xFFFFFFFFFFFF:012x}"
    )


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
