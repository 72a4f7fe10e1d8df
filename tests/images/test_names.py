"""Names of images are told apart, and what is none is refused in one line."""

import pytest

from mlops.errors import BadInput
from mlops.images.names import is_loopback, registry_of, repository_of, untagged
from mlops.specs.base import validated
from mlops.specs.project import Images

DIGEST = "sha256:" + "1f" * 32


@pytest.mark.parametrize(
    "name", ["ghcr.io/acme", "ghcr.io/acme/", "127.0.0.1:5000/team", "localhost:5000", "a.io/b/c_d"]
)
def test_a_registry_is_a_host_and_a_path(name: str) -> None:
    assert registry_of(name) == name.rstrip("/")


@pytest.mark.parametrize(
    "name",
    ["acme", "acme/ml", "https://ghcr.io/acme", "ghcr.io/Acme", "ghcr.io/a:1", "-x", "ghcr.io/a b"],
)
def test_anything_else_is_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        registry_of(name)
    assert str(caught.value) == (
        f"--image: {name!r} is not a registry and a path; "
        "write HOST/PATH in lower case as ghcr.io/acme, the service's name is added to it"
    )


def test_plain_http_is_spoken_with_this_machine_alone() -> None:
    assert is_loopback("127.0.0.1:5000/team/toy:1")
    assert is_loopback("localhost/toy")
    assert not is_loopback("127.0.0.1.example.com/toy")
    assert not is_loopback("ghcr.io/acme/toy")


def test_a_port_is_no_tag() -> None:
    assert repository_of("a.io:5000/b:1") == "a.io:5000/b"
    assert repository_of("a.io:5000/b") == "a.io:5000/b"
    assert untagged(f"a.io:5000/b:1@{DIGEST}") == f"a.io:5000/b@{DIGEST}"


def test_a_base_is_named_by_its_digest() -> None:
    assert validated({"base": f"a.io/b:1@{DIGEST}"}, "mlops.toml", Images)
    with pytest.raises(BadInput) as caught:
        validated({"base": "docker.io/library/python:3.11"}, "mlops.toml", Images)
    assert str(caught.value) == (
        'mlops.toml: `base` is "docker.io/library/python:3.11", not an image by its digest: a tag '
        "can name something else tomorrow; write REGISTRY/NAME:TAG@sha256:HEX, or let "
        "`mlops init --base-image` find the digest"
    )
