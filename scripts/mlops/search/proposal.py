"""A pull request with what a search found: model.yaml with other parameters."""

from dataclasses import dataclass

from mlops import digests
from mlops.environments.proposal import commit_files, same_commit
from mlops.errors import bad_input
from mlops.forges import Forge, PullRequest
from mlops.repository import Layout, Repository
from mlops.search.searching import Outcome, search_of
from mlops.search.table import markdown
from mlops.search.writing import with_params


@dataclass(frozen=True)
class Proposed:
    """The pull request; None when main has these parameters already."""

    opened: PullRequest | None


def propose(repo: Repository, forge: Forge, model: str, found: Outcome) -> Proposed:
    """Open the pull request that puts the found parameters on the forge's main branch.

    Its branch is named by the search and by what it found: run again it is the same one. Neither
    the work tree nor its index is touched.

    Raises:
        BadInput: when main searches for something else by now, or the branch is taken.
    """
    path = f"models/{model}/model.yaml"
    forge.fetch()
    main = forge.main()
    layout = repo.commit(main)
    _refuse_other(repo, layout, model)
    was = layout.tree.read(path) or b""
    content = with_params(was, path, found.best.params)
    if content == was:
        return Proposed(None)
    key = digests.of_json({"study": found.study, "params": dict(found.best.params)})
    branch = f"tune/{model}-{digests.short(key)}"
    title = f"{model}: parameters that a search of {len(found.trials)} found"
    commit = commit_files(repo, main, {path: content}, title)
    there = forge.waiting(branch)
    if there and same_commit(repo, there, commit):
        commit = there
    body = _body(repo, model, found)
    return Proposed(forge.open_pull_request(branch, commit, title, body, replaces=there))


def _refuse_other(repo: Repository, main: Layout, model: str) -> None:
    """What was found holds for one space and one set of fixed parameters."""
    if search_of(main, model).space != search_of(repo, model).space:
        raise bad_input(
            f"models/{model}/model.yaml",
            f"`search.space` is another one on {repo.project.forge.main}",
            "merge that, and search again",
        )


def _body(repo: Repository, model: str, found: Outcome) -> str:
    folds, dataset = found.search.folds, repo.model(model).data.dataset
    return f"""\
{markdown(found)}

Measured on {folds.count} windows of {folds.days} days of the training rows of `{dataset}`, each
predicted by a model trained on the rows before it. The holdout was not read. Search
`{digests.short(found.study)}`.

Its checks train the model with these parameters, measure it on the holdout and compare it with what
serves. To undo it after the merge: `git revert` of that commit.
"""
