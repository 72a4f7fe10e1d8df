"""What container tools say when they fail, as one line each with a way out."""

import pytest

from mlops.images.trouble import Doing, is_absent, trouble

PUSH = Doing("push", "127.0.0.1:9/team/toy:1")
RUNTIME = Doing("build", "a.io/base", "runtime.Dockerfile")
REFUSED = 'Error: pinging container registry 127.0.0.1:9: Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused'
DENIED = "Error: writing blob: initiating layer upload to /v2/toy/blobs/uploads/ in 127.0.0.1:9: unauthorized: authentication required"
FULL = "Error: writing blob: storing blob to file: write /var/tmp/x: no space left on device"
MISSING = "OSError: libgomp.so.1: cannot open shared object file: No such file or directory\nError: error building at STEP: exit status 1"
FAULT = "Error: writing blob: uploading layer chunked: received unexpected HTTP status: 500 Internal Server Error"
UNKNOWN = "Error: initializing source docker://127.0.0.1:9/b: reading manifest 1 in 127.0.0.1:9/b: manifest unknown: manifest unknown"


@pytest.mark.parametrize(
    ("doing", "said", "path", "fix"),
    [
        (PUSH, REFUSED, "127.0.0.1:9", "see that the registry can be reached"),
        (PUSH, DENIED, PUSH.image, "run `podman login 127.0.0.1:9` with a user who may push there"),
        (
            PUSH,
            FAULT,
            "127.0.0.1:9",
            "see its log and whether its disk is full, then run this again; nothing was pushed",
        ),
        (PUSH, FULL, "podman", "free it and run this again; nothing was pushed"),
        (RUNTIME, UNKNOWN, "a.io/base", "name one that is there, by `mlops init --base-image`"),
        (
            RUNTIME,
            MISSING,
            "mlops.toml",
            (
                "name a base with Python 3.11, libgomp and libstdc++ by `mlops init --base-image`, "
                "as gcr.io/distroless/python3-debian12"
            ),
        ),
        (PUSH, "Error: what?", "podman", "correct what it says, then run this again"),
    ],
    ids=["no answer", "not allowed", "fault", "full", "no base", "wrong base", "else"],
)
def test_each_failure_has_its_way_out(doing: Doing, said: str, path: str, fix: str) -> None:
    (problem,) = trouble("podman", doing, said).problems
    assert (problem.path, problem.fix) == (path, fix)
    assert "\n" not in str(problem)


def test_an_image_that_is_not_there_is_made_and_nothing_else_is_taken_for_that() -> None:
    assert is_absent(UNKNOWN)
    assert is_absent(
        "Error response from daemon: pull access denied for a/b, repository does not exist"
    )
    for said in (REFUSED, DENIED, FULL, FAULT, "dial unix /run/x.sock: permission denied"):
        assert not is_absent(said)


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert "secret" not in str(trouble("podman", PUSH, "Error: Get https://me:secret@a.io/: odd"))
