"""Images made with the container tools that are here, pushed to a real registry."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mlops.bento import UNFINISHED, scorer
from mlops.errors import BadInput, Exit
from mlops.images.making import Pushed, make, runtime_key
from mlops.images.names import RUNTIME
from mlops.images.tools import Tool
from tests.images import gate, workshop
from tests.images.gate import Gate
from tests.images.workshop import PLAIN, TOOLS, Registry, Storage, await_that, using
from tests.installed import need
from tests.serving.toy import MODEL, RAW, Toy, body, make_toy, rows
from tests.team import Team, free_port, make_team

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
each_tool = pytest.mark.parametrize("name", TOOLS)
INVALID = Path(__file__).parent.parent / "fixtures/invalid"
DRAIN_SECONDS = 30
# `right`, as bcrypt of the least cost has it.
USERS = "ann:$2b$04$FXgod7ro/q7lJdcDDRTDf.FvBYU0oGdWZ.gKNnyVnpzbztQW4FPSu\n"


@dataclass(frozen=True)
class Left:
    """What a killed run left: unfinished folders, names of images here, tags in the registry."""

    unfinished: list[Path]
    names: list[str]
    tags: list[str]


@dataclass
class Place:
    """A registry with a base, a team with a trained model, and a storage for each tool.

    What the first tool makes first is made after two runs were killed: a runtime takes too long
    to make one for each test. What these left is in `left`.
    """

    registry: Registry
    gate: Gate
    base: str
    team: Team
    toy: Toy
    open: ExitStack
    storages: dict[str, Storage] = field(default_factory=dict)
    first: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def storage(self, name: str) -> Storage:
        """What a tool has of its own."""
        if name not in self.storages:
            self.storages[name] = self.open.enter_context(workshop.storage(name))
        return self.storages[name]

    def made(self, name: str) -> dict[str, Any]:
        """What `mlops build --image` said when there was nothing but the base."""
        if name not in self.first:
            with using(self.storage(name), name):
                if name == TOOLS[0]:
                    self.left.append(self.killed(name, self.storage(name).builds))
                    with self.gate.held() as pushed:
                        self.left.append(self.killed(name, pushed.is_set))
                done = self.team.mlops(*self.build(name), "--json")
            assert done.returncode == 0, done.stderr
            self.first[name] = json.loads(done.stdout)
        return self.first[name]

    def killed(self, name: str, reached: Callable[[], bool]) -> Left:
        """Kill a run in the middle."""
        killed_when(self.team, self.build(name), reached)
        registry, folder = self.registry, self.team.stores / "images"
        here = self.storage(name).names()
        named = [each for each in here if each.startswith(f"{self.into(name)}/")]
        tags = [*registry.tags(f"{name}/{RUNTIME}"), *registry.tags(f"{name}/toy")]
        return Left(list(folder.glob(f"{UNFINISHED}*")), named, tags)

    def build(self, name: str) -> tuple[str, ...]:
        """The command that pushes into a folder named for the tool."""
        return ("build", "toy", "--image", self.into(name), "--tool", name)

    def into(self, folder: str) -> str:
        """A folder of the registry."""
        return f"{self.registry.address}/{folder}"

    def make(self, tool: Tool, toy: Toy, *, into: str, service: str = "toy") -> Pushed:
        """An image of a bento."""
        repo = self.team.repo
        return make(repo, repo, service, toy.bento, registry=into, tool=tool)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A base in a registry, and a team whose service is trained."""
    need(TOOLS[0], "docker-registry", "mmdebstrap")
    folder = tmp_path_factory.mktemp("making")
    with ExitStack() as stack:
        behind = stack.enter_context(workshop.registry(folder / "registry"))
        door = stack.enter_context(gate.before(behind.address))
        registry = replace(behind, address=door.address)
        tar = workshop.base_tar(folder)
        team = make_team(folder / "clone")
        place = Place(registry, door, "", team, make_toy(team, folder / "toy"), stack)
        name = f"{registry.address}/base:1"
        place.base = workshop.image_of(place.storage(TOOLS[0]), TOOLS[0], tar, name)
        with_base(team, place.base)
        assert team.mlops("data", "ingest", "toy-points", RAW).returncode == 0
        team.commit("A base, and January")
        assert team.mlops("train", MODEL).returncode == 0
        yield place


def with_base(team: Team, base: str) -> None:
    """Name the base in mlops.toml, as it stands there."""
    text = (team.root / "mlops.toml").read_text().partition("\n[images]")[0]
    team.write("mlops.toml", f'{text}\n[images]\nbase = "{base}"\n')


def test_a_run_that_was_killed_leaves_nothing_with_a_name_and_the_next_completes(
    place: Place,
) -> None:
    image = place.made(TOOLS[0])["image"]
    building, pushing = place.left
    assert building.unfinished
    assert building.names == pushing.names == []
    assert building.tags == pushing.tags == []
    assert not image["reused"]
    assert place.registry.manifest(f"{TOOLS[0]}/toy", image["digest"])
    assert place.registry.manifest(f"{TOOLS[0]}/{RUNTIME}", digest(image["runtime"]))
    assert not list((place.team.stores / "images").glob(f"{UNFINISHED}*"))


def killed_when(team: Team, command: Sequence[str], reached: Callable[[], bool]) -> None:
    """Run a command and kill it, and all it started, when a state is reached."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops", *command],
        cwd=team.root,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_that(lambda: reached() or process.poll() is not None, 300)
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@each_tool
def test_after_a_change_of_the_model_alone_one_small_layer_is_new(
    place: Place, name: str, tmp_path: Path
) -> None:
    first = place.made(name)["image"]
    assert not first["reused"]
    other = make_toy(place.team, tmp_path, rounds=20)
    with using(place.storage(name), name) as tool:
        second = place.make(tool, other, into=place.into(name))
        third = place.make(tool, other, into=place.into(name), service="another")
    assert second.reused
    assert third.reused
    assert first["runtime"] == second.runtime == third.runtime
    runtime = place.registry.layers(f"{name}/{RUNTIME}", digest(first["runtime"]))
    before = place.registry.layers(f"{name}/toy", first["digest"])
    after = place.registry.layers(f"{name}/toy", second.digest)
    (new,) = set(after) - set(before)
    assert list(after) == [*runtime, new]
    assert after[new] < 1_000_000 < sum(runtime.values())
    *shared, own = place.registry.layers(f"{name}/another", third.digest)
    assert shared == list(runtime)
    assert name not in PLAIN or own == new


def digest(image: str) -> str:
    """The digest in NAME@DIGEST."""
    return image.partition("@")[2]


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_bento_gives_the_same_image_again(place: Place, name: str) -> None:
    first = place.made(name)
    with using(place.storage(name), name):
        done = place.team.mlops(*place.build(name), "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["bento"] == first["bento"]
    assert again["image"] == {**first["image"], "reused": True}


def test_podman_and_buildah_make_the_same_image_and_the_same_runtime(place: Place) -> None:
    images = [place.made(name)["image"] for name in PLAIN]
    assert len({image["digest"] for image in images}) == 1
    assert len({digest(image["runtime"]) for image in images}) == 1


def test_it_answers_as_offline_without_rights_network_or_a_disk_to_write_to(place: Place) -> None:
    made = place.made("podman")
    models = {model: found["digest"] for model, found in made["models"].items()}
    points = rows(5)
    model = scorer(Path(made["path"]), MODEL, models[MODEL])
    offline = model.score([model.features.record(**point) for point in points]).tolist()
    image = f"{place.into('podman')}/toy@{made['image']['digest']}"
    with container(place.storage("podman"), image, models) as inside:
        await_that(lambda: inside.ask("/readyz") is not None)
        answer = json.loads(inside.ask("/predict", body(*points)) or "")
        assert (answer["predictions"], answer["release"]) == (offline, 7)
        assert inside.python("import os; print(os.getuid(), os.getgid())") == "10001 10001"
        assert inside.python(f"{RIGHTS}; print(rights)") == "0"
        # Past its limit podman kills, and the exit code is not 0.
        inside.podman("stop", f"--time={DRAIN_SECONDS}", inside.name)
        assert inside.podman("inspect", "--format={{.State.ExitCode}}", inside.name) == "0"


RIGHTS = (
    "lines = dict(line.split(':') for line in open('/proc/1/status')); "
    "rights = int(lines['CapEff'], 16) | int(lines['CapBnd'], 16)"
)
REQUEST = """
import sys, urllib.request
body = sys.stdin.buffer.read() or None
request = urllib.request.Request("http://127.0.0.1:3000" + sys.argv[1], body)
if body:
    request.add_header("content-type", "application/json")
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


@dataclass(frozen=True)
class Inside:
    """A container that runs."""

    storage: Storage
    name: str

    def podman(self, *command: str) -> str:
        """A command that has to succeed."""
        return self.storage.run("podman", *command)

    def python(self, program: str) -> str:
        """What a program prints in it."""
        return self.podman("exec", self.name, "python3", "-c", program)

    def ask(self, path: str, content: bytes = b"") -> str | None:
        """The body of an answer; None when there is no good one."""
        command = ["exec", "--interactive", self.name, "python3", "-c", REQUEST, path]
        done = subprocess.run(
            [str(self.storage.bin / "podman"), *command],
            input=content,
            capture_output=True,
            check=False,
        )
        return done.stdout.decode() if done.returncode == 0 else None


@contextmanager
def container(storage: Storage, image: str, models: dict[str, str]) -> Iterator[Inside]:
    """An image as a cluster runs it, by the digest that the registry has."""
    storage.run("podman", "pull", "--quiet", "--tls-verify=false", image)
    confined = ("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp:rw,mode=1777")
    rights = ("--network=none", "--cap-drop=all", "--security-opt=no-new-privileges")
    pinned = ("--env=MLOPS_RELEASE=7", f"--env=MLOPS_MODELS={json.dumps(models)}")
    command = ("run", "--detach", *confined, *rights, *pinned, image)
    inside = Inside(storage, storage.run("podman", *command))
    try:
        yield inside
    finally:
        inside.podman("rm", "--force", "--time=0", inside.name)


@each_tool
def test_what_was_never_pushed_is_not_taken_for_what_the_registry_has(
    place: Place, name: str
) -> None:
    only_here = place.into("never/pushed:1")
    with using(place.storage(name), name) as tool:
        assert tool.pull(place.base) == place.base
        place.storage(name).run(name, "tag", place.base, only_here)
        assert tool.pull(only_here) is None


@each_tool
def test_a_registry_that_does_not_answer_is_told(place: Place, name: str) -> None:
    registry = f"127.0.0.1:{free_port()}"
    with using(place.storage(name), name):
        done = place.team.mlops("build", "toy", "--image", f"{registry}/team", "--tool", name)
    assert (done.returncode, done.stdout) == (Exit.BAD_INPUT, "")
    assert general(done.stderr) == message("registry-down", registry=registry) + "\n"


@each_tool
def test_a_registry_that_refuses_is_told_with_what_to_run(
    place: Place, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        workshop.registry(tmp_path / "private", USERS) as private,
        using(place.storage(name), name) as tool,
    ):
        image = f"{private.address}/team/{RUNTIME}:{key(place)}"
        expected = message("registry-refuses", image=image, tool=name, registry=private.address)
        for password in (None, "wrong"):
            know(monkeypatch, tmp_path / "config.json", private.address, password)
            assert told(place, tool, into=f"{private.address}/team") == expected
        know(monkeypatch, tmp_path / "config.json", private.address, "right")
        assert tool.pull(image) is None


def key(place: Place) -> str:
    """The tag of the runtime."""
    return runtime_key(place.team.repo, place.base)


def know(patch: pytest.MonkeyPatch, file: Path, registry: str, password: str | None) -> None:
    """What `login` with that password would have noted."""
    known = base64.b64encode(f"ann:{password}".encode()).decode()
    file.write_text(json.dumps({"auths": {registry: {"auth": known}} if password else {}}))
    patch.setenv("REGISTRY_AUTH_FILE", str(file))
    patch.setenv("DOCKER_CONFIG", str(file.parent))


@each_tool
def test_a_full_disk_is_told_and_nothing_is_pushed(place: Place, name: str, tmp_path: Path) -> None:
    with workshop.small_disk(tmp_path / "images", 40) as disk, ExitStack() as stack:
        full = stack.enter_context(workshop.storage(name, disk / "root"))
        tool = stack.enter_context(using(full, name))
        said = told(place, tool, into=place.into("full"))
        assert said == message("tool-disk-full", tool=name)
    with (
        workshop.small_disk(place.team.stores / "images", 8),
        using(place.storage(name), name) as tool,
    ):
        assert told(place, tool, into=place.into("full")) == message("packages-disk-full")
    assert place.registry.tags(f"full/{RUNTIME}") == []


@each_tool
def test_a_registry_whose_disk_is_full_is_told(place: Place, name: str, tmp_path: Path) -> None:
    with (
        workshop.small_disk(tmp_path / "registry", 8) as disk,
        workshop.registry(disk) as small,
        using(place.storage(name), name) as tool,
    ):
        tool.pull(place.base)
        with pytest.raises(BadInput) as caught:
            tool.push(place.base, f"{small.address}/{RUNTIME}:1")
    assert general(str(caught.value)) == message("registry-disk-full", registry=small.address)


@each_tool
def test_a_base_that_is_not_there_or_has_no_python_is_told(
    place: Place, name: str, tmp_path: Path
) -> None:
    absent = f"{place.registry.address}/base@sha256:{'1f' * 32}"
    (tmp_path / "note").write_text("No Python here\n")
    tar = tmp_path / "empty.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(tmp_path / "note", "etc/note")
    first = place.storage(TOOLS[0])
    empty = workshop.image_of(first, TOOLS[0], tar, f"{place.registry.address}/empty:1")
    try:
        with using(place.storage(name), name) as tool:
            with_base(place.team, absent)
            said = told(place, tool, into=place.into("bases"))
            assert said == message("base-missing", base=absent)
            with_base(place.team, empty)
            said = told(place, tool, into=place.into("bases"))
            assert said == message("base-without-python")
    finally:
        with_base(place.team, place.base)
    assert place.registry.tags(f"bases/{RUNTIME}") == []


@each_tool
def test_init_pins_the_digest_that_the_registry_has(place: Place, name: str, team: Team) -> None:
    tag, missing = f"{place.registry.address}/base:1", f"{place.registry.address}/base:2"
    with workshop.alone(place.storage(name), name):
        done = team.mlops("init", "--base-image", missing)
        assert (done.returncode, done.stdout) == (Exit.BAD_INPUT, "")
        assert done.stderr == message("base-tag-missing", base=missing) + "\n"
        done = team.mlops("init", "--base-image", tag)
    assert done.returncode == 0, done.stderr
    assert f'base = "{tag}@{digest(place.base)}"' in (team.root / "mlops.toml").read_text()


def told(place: Place, tool: Tool, *, into: str) -> str:
    """The one problem of a run that fails, without the tool's own words."""
    with pytest.raises(BadInput) as caught:
        place.make(tool, place.toy, into=into)
    return general(str(caught.value))


def general(text: str) -> str:
    """A message with (...) for what the tool said, which its versions word differently."""
    return re.sub(r" \(.*\);", " (...);", text)


def message(reason: str, **values: str) -> str:
    """What is to be said."""
    return (INVALID / f"image-{reason}/message.txt").read_text().rstrip("\n").format(**values)
