"""A copy of the act harness with two of its stubs as the real actions are."""

from pathlib import Path

from tests.workflows.harness import with_dead_ends

MENDED = {
    # A branch's name is a branch, not a commit.
    "checkout/fetch.sh": (('rev-parse "', 'rev-parse --verify "'),),
    # The folder to put artifacts into may be anywhere.
    "download-artifact/action.yml": (
        ('mkdir -p "$TARGET"\n', 'mkdir -p "$TARGET" && TARGET=$(realpath "$TARGET")\n'),
        ('"$OLDPWD/$TARGET', '"$TARGET'),
    ),
}


def mended(folder: Path) -> Path:
    """The copy; an action without a stub fails there when it is reached."""
    runner = with_dead_ends(folder)
    for name, changes in MENDED.items():
        file = runner / "stubs" / "actions" / name
        text = file.read_text()
        for before, after in changes:
            assert before in text, f"{name} is another by now"
            text = text.replace(before, after)
        file.write_text(text)
    return runner
