"""What the small GitHub answers, by method and path."""

from typing import Any

from tests.forges.hub import Answers, Hub, Request, Said
from tests.team import git

ACTIONS_APP = 15368


def _user(request: Request, login: str | None = None) -> dict[str, Any]:
    name = login or request.user
    return {**USER, "login": name, "html_url": f"https://github.com/{name}"}


def signed(user: str) -> str:
    """By which name it is told what the holder of a token did."""
    return "github-actions[bot]" if user == "app" else user


USER: dict[str, Any] = {
    "id": 1,
    "node_id": "MDQ6VXNlcjE=",
    "avatar_url": "https://github.com/images/error/octocat_happy.gif",
    "gravatar_id": "",
    "url": "https://api.github.com/users/octocat",
    "followers_url": "https://api.github.com/users/octocat/followers",
    "following_url": "https://api.github.com/users/octocat/following{/other_user}",
    "gists_url": "https://api.github.com/users/octocat/gists{/gist_id}",
    "starred_url": "https://api.github.com/users/octocat/starred{/owner}{/repo}",
    "subscriptions_url": "https://api.github.com/users/octocat/subscriptions",
    "organizations_url": "https://api.github.com/users/octocat/orgs",
    "repos_url": "https://api.github.com/users/octocat/repos",
    "events_url": "https://api.github.com/users/octocat/events{/privacy}",
    "received_events_url": "https://api.github.com/users/octocat/received_events",
    "type": "User",
    "site_admin": False,
}


def who(hub: Hub, request: Request) -> Said:
    if request.user == "app":
        return Said(403, {"message": "Resource not accessible by integration"})
    value = hub.description.example(request.operation, 200)
    return Said(200, {**value, "login": request.user})


def repository(hub: Hub, request: Request) -> Said:
    value = hub.description.example(request.operation, 200)
    return Said(200, {**value, "full_name": hub.repository})


def _page(request: Request, values: list[Any]) -> tuple[list[Any], bool]:
    size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
    return values[(page - 1) * size : page * size], page * size < len(values)


def _listed(request: Request, values: list[Any]) -> Said:
    shown, more = _page(request, values)
    return Said(200, shown, more)


def _pull(hub: Hub, pull: dict[str, Any], example: Any) -> Any:
    """A pull request as the description's example shows one, with what is stored."""
    value = {**example, **{key: pull[key] for key in ("number", "title", "body", "state", "user")}}
    commit = pull["commit"] if pull["merged_at"] or not pull["own"] else hub.head(pull["branch"])
    source = {**value["head"]["repo"], "full_name": hub.repository if pull["own"] else "x/fork"}
    value["head"] = {**value["head"], "ref": pull["branch"], "sha": commit, "repo": source}
    value["base"] = {**value["base"], "ref": pull["base"], "sha": hub.head(pull["base"])}
    value["html_url"] = f"https://github.com/{hub.repository}/pull/{pull['number']}"
    value["merged_at"] = pull["merged_at"]
    value["merge_commit_sha"] = pull["squashed"]
    if "merged" in value:
        value["merged"] = bool(pull["merged_at"])
        value["changed_files"] = len(_changed(hub, pull))
        if hub.changed_files is not None:
            value["changed_files"] = hub.changed_files
    return value


def list_pulls(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)[0]
    owner, _, branch = request.query.get("head", "").partition(":")
    found = [
        pull
        for pull in reversed(hub.pulls)
        if pull["state"] == request.query.get("state", "open")
        and (not branch or (branch == pull["branch"] and owner == hub.repository.split("/")[0]))
    ]
    return _listed(request, [_pull(hub, pull, example) for pull in found])


def open_pull(hub: Hub, request: Request) -> Said:
    for pull in hub.pulls:
        if pull["branch"] == request.body["head"] and pull["state"] == "open":
            text = f"A pull request already exists for {request.body['head']}."
            errors = [{"resource": "PullRequest", "code": "custom", "message": text}]
            return Said(422, {"message": "Validation Failed", "errors": errors})
    pull = add_pull(hub, request.user, request.body["head"], request.body["title"])
    pull |= {"body": request.body["body"], "base": request.body["base"]}
    return Said(201, _pull(hub, pull, hub.description.example(request.operation, 201)))


def add_pull(hub: Hub, user: str, branch: str, title: str = "T", *, commit: str = "") -> Any:
    """A pull request that is there; one of a fork when a commit is given."""
    pull = {
        "number": len(hub.pulls) + 1,
        "title": title,
        "body": "",
        "state": "open",
        "user": {**USER, "login": user, "html_url": f"https://github.com/{user}"},
        "branch": branch,
        "base": "main",
        "own": not commit,
        "commit": commit or None,
        "merged_at": None,
        "squashed": None,
    }
    hub.pulls.append(pull)
    if not commit:
        ref = f"refs/pull/{pull['number']}/head"
        git(hub.bare, "symbolic-ref", ref, f"refs/heads/{branch}")  # follows the branch
    return pull


def get_pull(hub: Hub, request: Request) -> Said:
    pull = hub.pull_of(request)
    if pull is None:
        return Said(404, {"message": "Not Found"})
    return Said(200, _pull(hub, pull, hub.description.example(request.operation, 200)))


def change_pull(hub: Hub, request: Request) -> Said:
    pull = hub.pull_of(request)
    assert pull is not None
    pull |= request.body
    return Said(200, _pull(hub, pull, hub.description.example(request.operation, 200)))


def _changed(hub: Hub, pull: dict[str, Any]) -> list[str]:
    if not pull["own"] or pull["merged_at"]:
        return []
    spread = f"refs/heads/{pull['base']}...refs/heads/{pull['branch']}"
    return git(hub.bare, "diff", "--name-only", spread).split("\n")


def files(hub: Hub, request: Request) -> Said:
    pull = hub.pull_of(request)
    assert pull is not None
    example = hub.description.example(request.operation, 200)[0]
    listed = hub.listed
    if listed is None:
        listed = [{"filename": path} for path in _changed(hub, pull)]
    return _listed(request, [{**example, **each} for each in listed])


def list_reviews(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)[0]
    number = int(request.operation.values["pull_number"])
    found = [
        {**example, "user": _user(request, each["user"])}
        | {k: each[k] for k in ("state", "commit_id")}
        for each in hub.reviews
        if each["number"] == number
    ]
    return _listed(request, found)


def merge(hub: Hub, request: Request) -> Said:
    pull = hub.pull_of(request)
    assert pull is not None
    if pull["merged_at"]:
        return Said(405, {"message": "Pull Request is not mergeable"})
    if hub.merge_refusals:
        return hub.merge_refusals.pop(0)
    head = hub.head(pull["branch"])
    if request.body["sha"] != head:
        return Said(409, {"message": "Head branch was modified. Review and try the merge again."})
    assert request.body["merge_method"] == "squash"
    pull |= {"commit": head, "state": "closed", "merged_at": "2026-01-01T00:00:00Z"}
    pull["squashed"] = _squash(hub, pull["base"], head, request.body["commit_title"])
    example = hub.description.example(request.operation, 200)
    return Said(200, {**example, "sha": pull["squashed"]})


def _squash(hub: Hub, base: str, head: str, title: str) -> str:
    onto = hub.head(base)
    tree = git(hub.bare, "merge-tree", "--write-tree", onto, head)
    name = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com")
    commit = git(hub.bare, *name, "commit-tree", tree, "-p", onto, "-m", title)
    git(hub.bare, "update-ref", f"refs/heads/{base}", commit, onto)
    return commit


def _comment(request: Request, example: Any, comment: dict[str, Any]) -> Any:
    return {**example, **comment, "user": _user(request, comment["user"])}


def list_comments(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)[0]
    number = int(request.operation.values["issue_number"])
    found = [
        _comment(request, example, {key: each[key] for key in ("id", "body", "user")})
        for each in hub.comments
        if each["number"] == number
    ]
    return _listed(request, found)


def write_comment(hub: Hub, request: Request) -> Said:
    number = int(request.operation.values["issue_number"])
    comment = add_comment(hub, request.user, number, request.body["body"])
    shown = {key: comment[key] for key in ("id", "body", "user")}
    return Said(201, _comment(request, hub.description.example(request.operation, 201), shown))


def add_comment(hub: Hub, user: str, number: int, body: str) -> dict[str, Any]:
    """A comment that is there."""
    comment = {"id": len(hub.comments) + 1, "number": number, "user": signed(user), "body": body}
    hub.comments.append(comment)
    return comment


def change_comment(hub: Hub, request: Request) -> Said:
    wanted = int(request.operation.values["comment_id"])
    comment = next(each for each in hub.comments if each["id"] == wanted)
    comment["body"] = request.body["body"]
    shown = {key: comment[key] for key in ("id", "body", "user")}
    return Said(200, _comment(request, hub.description.example(request.operation, 200), shown))


def set_status(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 201)
    said = {"commit": request.operation.values["sha"], "user": signed(request.user)}
    hub.statuses.insert(0, {**said, **request.body})
    return Said(201, {**example, **request.body})


def get_status(hub: Hub, request: Request) -> Said:
    value = hub.description.example(request.operation, 200)
    example = value["statuses"][0]
    newest: dict[str, Any] = {}
    for each in hub.statuses:
        if each["commit"] == request.operation.values["ref"]:
            newest.setdefault(each["context"], each)
    found = [
        {**example, **{key: each[key] for key in each if key not in ("commit", "user")}}
        for each in newest.values()
    ]
    shown, more = _page(request, found)
    return Said(200, {**value, "statuses": shown, "total_count": len(found)}, more)


def list_statuses(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)[0]
    found = [
        {**example, "target_url": None, "creator": _user(request, each["user"])}
        | {key: each[key] for key in each if key not in ("commit", "user")}
        | {"id": len(hub.statuses) - place}
        for place, each in enumerate(hub.statuses)
        if each["commit"] == request.operation.values["ref"]
    ]
    return _listed(request, found)


def list_workflow_runs(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)["workflow_runs"][0]
    asked = (
        request.operation.values["workflow_id"],
        *map(request.query.get, ("event", "head_sha")),
    )
    found = [
        {**example, "id": each["id"], "head_sha": each["commit"], "event": each["event"]}
        | {"html_url": f"https://github.com/{hub.repository}/actions/runs/{each['id']}"}
        | {"status": "completed" if each["conclusion"] else "in_progress"}
        | {"conclusion": each["conclusion"]}
        for each in reversed(hub.workflow_runs)
        if (each["file"], each["event"], each["commit"]) == asked
    ]
    shown, more = _page(request, found)
    return Said(200, {"total_count": len(found), "workflow_runs": shown}, more)


def run_failed_jobs(hub: Hub, request: Request) -> Said:
    number = int(request.operation.values["run_id"])
    run = next(each for each in hub.workflow_runs if each["id"] == number)
    if run["conclusion"] is None:
        return Said(403, {"message": "This workflow is already running"})
    if run["old"]:
        return Said(403, {"message": "Unable to re-run: it was created over a month ago"})
    run["conclusion"] = None
    return Said(201, {})


def add_workflow_run(
    hub: Hub, commit: str, conclusion: str | None, *, event: str = "pull_request", old: bool = False
) -> int:
    """A run of pr.yaml that is there; its number."""
    number = len(hub.workflow_runs) + 1
    run = {"id": number, "commit": commit, "conclusion": conclusion, "event": event, "old": old}
    hub.workflow_runs.append({**run, "file": "pr.yaml"})
    return number


def check_runs(hub: Hub, request: Request) -> Said:
    value = hub.description.example(request.operation, 200)
    example = value["check_runs"][0]
    found = [
        {
            **example,
            **{key: each[key] for key in ("name", "status", "conclusion")},
            "app": {**example["app"], "id": each["app"]},
        }
        for each in hub.runs
        if each["commit"] == request.operation.values["ref"]
    ]
    shown, more = _page(request, found)
    return Said(200, {"total_count": len(found), "check_runs": shown}, more)


def list_rulesets(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)[0]
    found = [
        {**example, "id": place, "name": each["name"], "target": each["target"]}
        for place, each in enumerate(hub.rulesets, start=1)
    ]
    return _listed(request, found)


def get_ruleset(hub: Hub, request: Request) -> Said:
    example = hub.description.example(request.operation, 200)
    place = int(request.operation.values["ruleset_id"])
    value = {**example, **hub.rulesets[place - 1], "id": place}
    if "bypass_actors" not in hub.rulesets[place - 1]:
        del value["bypass_actors"]
    return Said(200, value)


ANSWERS: Answers = {
    ("GET", "/user"): who,
    ("GET", ""): repository,
    ("GET", "/pulls"): list_pulls,
    ("POST", "/pulls"): open_pull,
    ("GET", "/pulls/{pull_number}"): get_pull,
    ("PATCH", "/pulls/{pull_number}"): change_pull,
    ("GET", "/pulls/{pull_number}/files"): files,
    ("GET", "/pulls/{pull_number}/reviews"): list_reviews,
    ("PUT", "/pulls/{pull_number}/merge"): merge,
    ("GET", "/issues/{issue_number}/comments"): list_comments,
    ("POST", "/issues/{issue_number}/comments"): write_comment,
    ("PATCH", "/issues/comments/{comment_id}"): change_comment,
    ("POST", "/statuses/{sha}"): set_status,
    ("GET", "/commits/{ref}/status"): get_status,
    ("GET", "/commits/{ref}/statuses"): list_statuses,
    ("GET", "/commits/{ref}/check-runs"): check_runs,
    ("GET", "/actions/workflows/{workflow_id}/runs"): list_workflow_runs,
    ("POST", "/actions/runs/{run_id}/rerun-failed-jobs"): run_failed_jobs,
    ("GET", "/rulesets"): list_rulesets,
    ("GET", "/rulesets/{ruleset_id}"): get_ruleset,
}
