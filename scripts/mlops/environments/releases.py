"""Releasing: HEAD's service built and measured, its evidence and release file put into a branch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops import digests
from mlops.environments.champion import as_champion, comparisons, gates_of, named, unmet
from mlops.environments.entry_rules import frozen
from mlops.environments.evidence_rules import measured_on, metrics_of
from mlops.environments.promotion import undo_lines
from mlops.environments.proposal import RELEASE_SCHEMA, Proposal, Proposed, propose
from mlops.environments.timeline import (
    is_same_content,
    known_releases,
    next_number,
    same_content,
    timeline,
    withdrawn,
)
from mlops.errors import BadInput, NotGood, Problem, not_good
from mlops.forges import Forge, forge_of
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Layout, Repository, evidence_path, folder_of, release_path
from mlops.sources import service_source
from mlops.specs.base import parse, to_yaml
from mlops.specs.decision import Decision
from mlops.specs.evidence import DataValidation, Evidence, GateResult, ModelEvidence
from mlops.specs.release import DatasetPin, EvidencePin, Image, ModelPin, Release, Source

SHOWN = 10
"""Uncommitted files that are named one by one."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class AlreadyThere:
    """The first environment holds this very content: nothing is to be done."""

    release: Release
    environment: str


def release(
    repo: Repository, service: str, *, image: Image | None = None, tell: Told = lambda _: None
) -> Proposed | AlreadyThere:
    """Open the pull request that puts a release of HEAD into the first environment.

    Args:
        service: which service.
        image: what was pushed for HEAD; None: the release serves under the local follower only.
        tell: called with each step in words.

    Raises:
        BadInput: when HEAD is not what the forge's main holds, or files are wrong.
        NotGood: with every gate that failed and every rule that is broken; nothing is pushed.
    """
    forge = forge_of(repo)
    tell("fetching what the forge holds")
    forge.fetch()
    check_source(repo, forge)
    head = repo.commit("HEAD")
    first = head.order[0]
    head.settings(first, service)
    if problems := frozen(head.environment(first), datetime.now(UTC).date()):
        raise NotGood(problems)
    candidate, evidence = measured(repo, service, tell)
    if image:
        told.read(image.name, image.digest, Thing("image", image.name))
    pinned = candidate.model_copy(update={"image": image})
    return _open(repo, forge, pinned, evidence, tell)


def check_source(repo: Repository, forge: Forge) -> None:
    """A release names its source commit, so HEAD has to be what the forge's main holds.

    Raises:
        BadInput: with every reason why it is not.
    """
    problems = [*_dirty(repo), *_behind_or_ahead(repo, forge)]
    if problems:
        raise BadInput(problems)


def newer_main(repo: Repository) -> str | None:
    """The commit of the forge's main branch when it goes on from HEAD, fetched; else None."""
    forge = forge_of(repo)
    forge.fetch()
    head, main = repo.git.head(), forge.main()
    return main if main != head and repo.git.is_ancestor(head, main) else None


def _dirty(repo: Repository) -> list[Problem]:
    paths = repo.git.uncommitted()
    what = "differs from HEAD, and a release is made from a commit"
    fix = "commit it (git add, git commit, git push), or take it back"
    problems = [Problem(path, what, fix) for path in paths[:SHOWN]]
    if len(paths) > SHOWN:
        problems.append(Problem("git status", f"{len(paths) - SHOWN} more files differ", fix))
    return problems


def _behind_or_ahead(repo: Repository, forge: Forge) -> list[Problem]:
    settings, git = repo.project.forge, repo.git
    theirs, name = forge.main(), f"{settings.remote}/{settings.main}"
    here = git.branch() or "HEAD"
    counts = git.text("rev-list", "--left-right", "--count", f"HEAD...{theirs}").split()
    ahead, behind = int(counts[0]), int(counts[1])
    way = "" if here == settings.main else f"git switch {settings.main} && "
    problems = []
    if behind:
        problems.append(
            Problem(here, f"is {_commits(behind)} behind {name}", f"{way}git pull --ff-only")
        )
    if ahead:
        fix = "git push" if here == settings.main else f"merge it into {settings.main} first"
        problems.append(Problem(here, f"has {_commits(ahead)} that {name} lacks", fix))
    return problems


def _commits(count: int) -> str:
    return f"{count} commit{'' if count == 1 else 's'}"


def measured(
    repo: Repository, service: str, tell: Told = lambda _: None
) -> tuple[Release, Evidence]:
    """HEAD's service built, its models and data measured; the release is numbered 1 for now.

    Raises:
        NotGood: with every gate that is not met and every contract that is broken, or when a
            model was not trained from HEAD's files and data.
    """
    from mlops.commands.build import build_at
    from mlops.training.evaluation import evaluate

    commit = repo.git.head()
    head = repo.commit(commit)
    tell(f"building {service} from {commit[:12]}")
    built, registered = build_at(repo, commit, service)
    tell(f"evaluating {', '.join(registered)}")
    models = tuple(evaluate(repo, head, one) for one in registered.values())
    tell("checking the data against its contract")
    data, broken = _validated(repo, head, models)
    problems = [*unmet(gates_of_evidence(models)), *broken]
    if problems:
        raise NotGood(problems)
    evidence = Evidence(
        service=service, source_tree=service_source(head, service), data=data, models=models
    )
    pins = tuple(
        ModelPin(name=name, digest=one.digest, version=one.version)
        for name, one in registered.items()
    )
    return _composed(commit, built.digest, pins, evidence), evidence


def gates_of_evidence(models: Sequence[ModelEvidence]) -> tuple[GateResult, ...]:
    """Every gate of every model, each named with its model."""
    return tuple(named(model.model, gate) for model in models for gate in model.gates)


def _validated(
    repo: Repository, head: Layout, models: Sequence[ModelEvidence]
) -> tuple[tuple[DataValidation, ...], list[Problem]]:
    """Each dataset of the models held to its contract, and what is broken."""
    from mlops.data.pin import read_pin
    from mlops.data.validated import validated

    names = sorted({head.model(model.model).data.dataset for model in models})
    found = [validated(repo, head, read_pin(head, name)) for name in names]
    return tuple(one for one, _ in found), [problem for _, broken in found for problem in broken]


def _composed(commit: str, bento: str, models: tuple[ModelPin, ...], evidence: Evidence) -> Release:
    return Release(
        service=evidence.service,
        release=1,
        source=Source(commit=commit, tree=evidence.source_tree),
        bento=bento,
        models=models,
        datasets=tuple(
            DatasetPin(name=one.dataset, digest=one.digest, contract=one.contract)
            for one in evidence.data
        ),
        evidence=EvidencePin(
            digest=digests.of_bytes(evidence_bytes(evidence)),
            measured_on=measured_on(evidence),
            metrics=metrics_of(evidence),
        ),
    )


def evidence_bytes(evidence: Evidence) -> bytes:
    """The one text of evidence; its hash is the file's name."""
    return digests.canonical_json(evidence.model_dump(mode="json"))


def release_bytes(release: Release) -> bytes:
    """The one text of a release."""
    return to_yaml(release, schema=RELEASE_SCHEMA).encode()


def _open(
    repo: Repository,
    forge: Forge,
    candidate: Release,
    evidence: Evidence,
    tell: Told,
) -> Proposed | AlreadyThere:
    main = forge.main()
    layout = repo.commit(main)
    first = layout.order[0]
    champion = layout.release(first, candidate.service)
    chosen, content = _numbered(repo, forge, main, candidate)
    if champion is not None and layout.tree.read(release_path(first, chosen.service)) == content:
        return AlreadyThere(chosen, first)
    _check_place(repo, main, first, chosen)
    tell(f"comparing with what serves in {first}")
    found = comparisons(repo, chosen, champion)
    gates = gates_of(repo.commit("HEAD"), found)
    if problems := unmet(gates):
        raise NotGood(problems)
    tell("checking the rules")
    decision = Decision(
        kind="release",
        service=chosen.service,
        environment=first,
        release=chosen.release,
        champion=as_champion(champion),
        comparisons=found,
        checks=(*gates_of_evidence(evidence.models), *gates),
    )
    return propose(
        repo,
        forge,
        Proposal(
            branch=branch_of(chosen),
            release=chosen,
            content=content,
            decision=decision,
            champion=champion,
            undo=undo_lines(chosen.service, first, champion),
            files={evidence_path(chosen.service, chosen.evidence.digest): evidence_bytes(evidence)},
        ),
    )


def branch_of(release: Release) -> str:
    """The branch of a release's pull request."""
    return f"release/{release.service}-{release.release}"


def _numbered(
    repo: Repository, forge: Forge, main: str, candidate: Release
) -> tuple[Release, bytes]:
    """The release that exists with this content, or the candidate with the next number."""
    known = known_releases(repo.git, repo.commit(main), main, candidate.service)
    same = same_content(known, candidate)
    if same is not None and same.release is not None and same.content is not None:
        return same.release, same.content
    fresh = candidate.model_copy(update={"release": next_number(known)})
    return _waiting(repo, forge, fresh) or (fresh, release_bytes(fresh))


def _waiting(repo: Repository, forge: Forge, fresh: Release) -> tuple[Release, bytes] | None:
    """The release of this content that a branch already waits with, made from an older commit."""
    there = forge.waiting(branch_of(fresh))
    path = release_path(repo.commit("HEAD").order[0], fresh.service)
    content = repo.commit(there).tree.read(path) if there else None
    if content is None:
        return None
    waiting = parse(content, f"{branch_of(fresh)}:{path}", Release)
    return (waiting, content) if is_same_content(waiting, fresh) else None


def _check_place(repo: Repository, main: str, first: str, chosen: Release) -> None:
    """Content that was there before comes back by a rollback, not as a new release."""
    entries = timeline(repo.git, main, first, chosen.service)
    number = chosen.release
    if not any(one.release and one.release.release == number for one in entries):
        return
    reason = withdrawn(entries).get(number)
    told, option = (f" and took back: {reason}", " --reason TEXT") if reason else ("", "")
    raise not_good(
        folder_of(first, chosen.service),
        f"HEAD has the content of release {number}, which {first} held before{told}",
        "change what was wrong, or put it back: "
        f"mlops rollback {chosen.service} --env {first} --to {number}{option}",
    )
