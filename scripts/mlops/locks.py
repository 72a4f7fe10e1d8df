"""requirements/<group>.txt: what of a lock decides which packages are installed."""

import re

_COMMENT = re.compile(r"(^|\s)#.*$")


def resolved(lock: bytes) -> bytes:
    """A lock as versions, markers and hashes in one order, without its comments.

    Two locks are equal in this form when they install the same packages. What is not
    `name==version` with hashes (an option, an address) is kept as it stands, before these.
    """
    text = lock.decode(errors="surrogateescape").replace("\\\r\n", " ").replace("\\\n", " ")
    lines = (_COMMENT.sub("", line).strip() for line in text.splitlines())
    entries = sorted({_entry(line) for line in lines if line})
    return "".join(f"{line}\n" for _, line in entries).encode(errors="surrogateescape")


def _entry(line: str) -> tuple[tuple[str, ...], str]:
    """What an entry is sorted by, and its text as `uv pip compile` writes it."""
    requirement, *hashes = re.split(r"\s+--hash=", line)
    name, is_pinned, version = requirement.partition("==")
    if not is_pinned:
        return ("",), line
    name = re.sub(r"[-_.]+", "-", name.strip()).lower()
    version = " ".join(version.split())
    parts = [f"{name}=={version}", *(f"    --hash={one}" for one in sorted(set(hashes)))]
    return (name, version), " \\\n".join(parts)
