"""What a reviewer of an environment's change wants to know beside its rules, in words.

What is not known is said to be so: no figure here is guessed.
"""

from collections.abc import Callable
from datetime import date, timedelta

from mlops import digests
from mlops.environments import entry_rules as entry
from mlops.environments.case import Case
from mlops.environments.evidence_rules import evidence_age
from mlops.environments.kinds import Kind, rollback_command
from mlops.environments.traffic import Traffic, traffic_of
from mlops.errors import MlopsError
from mlops.specs.release import Release
from mlops.specs.result import Fact

SOON = timedelta(days=14)
"""How far ahead a freeze is told."""
LONGEST = 1_000
"""Characters of one fact."""
Told = Callable[[Case], Fact]


def facts(case: Case) -> tuple[Fact, ...]:
    """The facts of a change, by its kind."""
    kind = case.change.kind
    if kind == "create":
        released = case.after.release(case.environment, case.service) is not None
        return _all(case, (*(CREATED if released else ()), readers, freeze))
    return _all(case, FACTS[kind])


def _all(case: Case, told: tuple[Told, ...]) -> tuple[Fact, ...]:
    return tuple(one(case) for one in told)


def age(case: Case) -> Fact:
    """How old the evidence is."""
    name, found = "age of the evidence", evidence_age(case)
    if found is None:
        return _unknown(name, "it is not committed")
    limit = case.env.evidence_max_age
    text = f"{entry.words(found)}; {case.environment} accepts {entry.words(limit)}"
    return _fact(name=name, text=text, good=found <= limit)


def served(case: Case) -> Fact:
    """How long the previous environment has served this release."""
    previous = case.after.previous(case.environment)
    if previous is None:
        text = f"{case.environment} is the first environment, nobody has served it yet"
        return _fact(name="time served before", text=text)
    name = f"time served in {previous}"
    try:
        since = entry.serving_since(case.repo, previous, case.service, case.release.release)
    except MlopsError as error:
        return _unknown(name, error.problems[0].what)
    if since is None:
        return _unknown(name, f"no record says that {previous} serves {_named(case.release)}")
    text = f"{entry.words(case.now - since)}, confirmed since {since:%Y-%m-%d %H:%M} UTC"
    return _fact(name=name, text=text, good=case.now - since >= case.env.soak)


def answered(case: Case) -> Fact:
    """How well the previous environment has served this release."""
    previous = case.after.previous(case.environment)
    if previous is None:
        return _fact(name="answers before", text=f"{case.environment} is the first environment")
    return _answers(case, f"answers in {previous}", previous, case.release)


def traffic(case: Case) -> Fact:
    """What the release that serves here now has answered."""
    name = f"traffic in {case.environment}"
    if case.replaced is None:
        return _fact(name=name, text="none: no release serves here")
    return _answers(case, name, case.environment, case.replaced)


def _answers(case: Case, name: str, environment: str, release: Release) -> Fact:
    try:
        found = traffic_of(case.repo, environment, case.service, release.release)
    except MlopsError as error:
        return _unknown(name, error.problems[0].what)
    if isinstance(found, Traffic):
        return _fact(name=name, text=str(found), good=not found.failed)
    return _unknown(name, found)


def freeze(case: Case) -> Fact:
    """Whether a freeze applies today, and the next that starts soon."""
    name, today = "freeze", case.now.date()
    applies = [one for one in case.env.freeze if one.start <= today <= one.end]
    if applies:
        one = applies[0]
        text = f"until {one.end} nothing but a rollback enters: {one.reason}"
        return _fact(name=name, text=text, good=case.change.kind == "rollback")
    return _fact(name=name, text=f"none today; {_next(case, today)}")


def _next(case: Case, today: date) -> str:
    soon = [one for one in case.env.freeze if today < one.start <= today + SOON]
    if not soon:
        return f"none starts within {SOON.days} days"
    one = min(soon, key=lambda freeze: freeze.start)
    return f"the next is from {one.start} to {one.end}: {one.reason}"


def approval(case: Case) -> Fact:
    """Who is asked, and of what they are asked."""
    names = ", ".join(case.env.owners[:5])
    more = len(case.env.owners) - 5
    asked = f"{names} and {more} more" if more > 0 else names
    text = f"asked of {asked}; it holds for the reviewed commit alone, another push takes it back"
    return _fact(name="approval", text=text)


def way_back(case: Case) -> Fact:
    """Whether what serves now can be put back afterwards, and by which command."""
    name, now = "way back", case.replaced
    if now is None:
        text = "nothing served here before: a revert takes the service away again"
        return _fact(name=name, text=text)
    # What a rollback withdraws comes back with a word why only.
    reason = " --reason TEXT" if case.change.kind == "rollback" else ""
    command = f"{rollback_command(case.change)} --to {now.release}{reason}"
    there = _artifacts(case, now)
    if there is None:
        return _unknown(name, f"the bento of {_named(now)} is not in the stores here ({command})")
    return _fact(name=name, text=f"{command}; {there}")


def _artifacts(case: Case, release: Release) -> str | None:
    """Where what is to serve again comes from; None when nothing here says so."""
    from mlops import bento

    if (bento.folder(case.repo, release.service, release.bento) / "bento.yaml").is_file():
        return f"its bento {digests.short(release.bento)} is in the store"
    if release.image:
        return f"its image is pinned as {digests.short(release.image.digest)}"
    return None


def readers(case: Case) -> Fact:
    """Where else the service serves."""
    others = [
        name
        for name in case.after.order
        if name != case.environment and case.after.release(name, case.service)
    ]
    text = f"also serves in {', '.join(others)}" if others else "serves in no other environment"
    return _fact(name="readers", text=text)


def _named(release: Release) -> str:
    return f"release {release.release}"


def _unknown(name: str, why: str) -> Fact:
    return _fact(name=name, text=f"not known: {why}", good=False)


def _fact(name: str, text: str, *, good: bool = True) -> Fact:
    """Cut where somebody wrote a novel as the reason of a freeze."""
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
    return Fact(name=name, text=short, good=good)


CREATED = (age, served, answered)
FACTS: dict[Kind, tuple[Told, ...]] = {
    "release": (age, freeze, way_back),
    "promotion": (age, served, answered, freeze, way_back, approval),
    "rollback": (age, traffic, freeze, way_back, approval),
    "settings": (traffic, freeze, approval),
    "base": (freeze, approval),
    "environment": (freeze, approval),
    "experiment": (traffic, readers, freeze, approval),
    "remove": (traffic, readers, way_back, approval),
}
