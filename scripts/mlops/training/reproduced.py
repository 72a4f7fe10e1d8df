"""A release's model, opened from its bento; made again from its source where no bento is.

Training is pure: the same files, data and packages give the same digest, so a model that is
made again is the one released, or it is refused.
"""

from pathlib import Path

from mlops import bento, digests
from mlops.errors import MlopsError, NotHere, Problem
from mlops.files import write_whole
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.registry import Registry
from mlops.repository import Layout, Repository
from mlops.scoring.scorer import Scorer
from mlops.specs.release import ModelPin, Release
from mlops.training.training import features_of, train


def scorer_of_release(repo: Repository, release: Release, model: str) -> Scorer:
    """A model as a release pins it, with the feature code it was released with.

    Raises:
        NotHere: when there is no bento here and the model cannot be made again.
        BadInput: when the bento's content is not what is pinned.
    """
    pin = next(pin for pin in release.models if pin.name == model)
    if (bento.folder(repo, release.service, release.bento) / "bento.yaml").is_file():
        found = bento.find(repo, release.service, release.bento)
        return bento.scorer(found, model, pin.digest)
    source = release.source.commit
    try:
        layout = repo.commit(source)
        folder = _artifact(repo, layout, pin, source)
        return Scorer.of(features_of(layout, model), folder, pin.digest)
    except MlopsError as error:
        told = "; ".join(problem.what for problem in error.problems)
        raise NotHere(
            Problem(
                f"models/{model}",
                f"the bento of release {release.release} of {release.service} is not here, and its "
                f"model could not be made again from commit {source[:12]}: {told}",
                "run this where its stores are",
            )
        ) from error


def _artifact(repo: Repository, layout: Layout, pin: ModelPin, source: str) -> Path:
    """Folder with the model's files, verified: kept from before, registered, or trained again."""
    folder = repo.stores / "models" / pin.digest.removeprefix(digests.PREFIX)
    if folder.is_dir() and digests.of_folder(folder) == pin.digest:
        told.read(folder, pin.digest, Thing("model", pin.name, label=str(pin.version)))
        return folder
    return _registered(repo, pin) or _trained_again(repo, layout, pin, source, folder)


def _registered(repo: Repository, pin: ModelPin) -> Path | None:
    registry = Registry.of(repo)
    try:
        known = registry.find(pin.name, digest=pin.digest)
        return registry.fetch(known) if known else None
    except Exception:  # noqa: BLE001 - each kind has errors of its own; training gives the same
        return None


def _trained_again(
    repo: Repository, layout: Layout, pin: ModelPin, source: str, folder: Path
) -> Path:
    try:
        made = train(repo, layout, pin.name)
    except MlopsError:
        raise
    except Exception as error:  # the model's own code may raise anything
        what = f"its train.py failed with {type(error).__name__}: {error}"
        raise NotHere(Problem(f"models/{pin.name}", what, "")) from error
    if made.digest != pin.digest:
        what = (
            f"training gives {digests.short(made.digest)} here, the release pins "
            f"{digests.short(pin.digest)} (another kind of processor, or other packages)"
        )
        raise NotHere(Problem(f"models/{pin.name}", what, f"train at {source[:12]}"))
    for name, content in made.files.items():
        write_whole(folder / name, content)
    told.wrote(folder, pin.digest, Thing("model", pin.name, label=str(pin.version)))
    return folder
