"""What GitHub does around a workflow, done on a real Gitea.

It starts the workflow on an event, turns the gate of a pull request into a check, hands the
artifacts of a run to the runs that follow it, and gives the bot its token.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.forges.base import Pull
from tests.forges.gitea_stage import GiteaStage
from tests.team import Team
from tests.workflows.harness import Ran, Server, run
from tests.workflows.mended import mended

CHECK, APP = "checks-pass", "42"


@dataclass(frozen=True)
class Finished:
    """A run of pr.yaml that has ended."""

    number: int
    pull: Pull
    ran: Ran

    @property
    def url(self) -> str:
        """Its page."""
        return f"{self.pull.url.rpartition('/pulls/')[0]}/actions/runs/{self.number}"


@dataclass(frozen=True)
class Around:
    """The events of one repository, and the runs that they start."""

    stage: GiteaStage
    runner: Path
    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def team(self) -> Team:
        """Whose clone it is."""
        return self.stage.team

    def pull_request(self, number: int) -> Finished:
        """Run pr.yaml for the head of a pull request, and say as the check what it gave."""
        pull = self.stage.forge().pull(number)
        self._switch(pull.branch, pull.commit)
        ran = self._run("pull_request", "pr.yaml", payload={"pull_request": _payload(pull)})
        self.stage.check(pull.commit, CHECK, "success" if ran.code == 0 else "failure")
        self.main()
        return Finished(int(ran.out.name), pull, ran)

    def after(self, done: Finished, workflow: str) -> Ran:
        """Run a workflow that follows pr.yaml."""
        source = {"full_name": self.stage.repository, "fork": False}
        values = {
            "id": done.number,
            "event": "pull_request",
            "conclusion": "success" if done.ran.code == 0 else "failure",
            "head_sha": done.pull.commit,
            "head_branch": done.pull.branch,
            "head_repository": source,
            "html_url": done.url,
        }
        return self._run("workflow_run", workflow, payload={"workflow_run": values})

    def push(self, commit: str = "") -> Ran:
        """Run main.yaml for the push that brought a commit; default: the one checked out."""
        return self._run("push", "main.yaml", payload={"after": commit} if commit else None)

    def dispatch(self, workflow: str, **inputs: str) -> Ran:
        """Run a workflow that a person starts."""
        return self._run("workflow_dispatch", workflow, inputs=inputs)

    def main(self) -> str:
        """The forge's main branch, checked out; its commit."""
        self.stage.forge().fetch()
        return self._switch("main", self.stage.forge().main())

    def _switch(self, branch: str, commit: str) -> str:
        self.stage.forge().fetch()
        self.team.git("checkout", "--quiet", "--force", "-B", branch, commit)
        return commit

    def _run(self, event: str, workflow: str, **more: Any) -> Ran:
        token = self.stage.server.token("bot")
        return run(
            self.team,
            event,
            workflow,
            variables={"MLOPS_APP_ID": APP},
            secrets={"MLOPS_APP_KEY": token},
            server=Server(self.stage.server.url, self.stage.repository, token),
            out=self.folder / str(next(self.numbers)),
            runner=self.runner,
            **more,
        )


def _payload(pull: Pull) -> dict[str, object]:
    return {
        "number": pull.number,
        "title": pull.title,
        "user": {"login": pull.author},
        "head": {"ref": pull.branch, "sha": pull.commit},
    }


def around(stage: GiteaStage, folder: Path) -> Around:
    """The events of a stage's repository; runs and harness lie in a folder of the test's own."""
    runner, runs = mended(folder), folder / "runs"
    for name, text in {
        "actions/create-github-app-token": BOT,
        "actions/download-artifact": DOWNLOAD.replace("RUNS", str(runs)),
    }.items():
        (runner / "stubs" / name / "action.yml").write_text(text)
    return Around(stage, runner, runs)


BOT = """\
name: create-github-app-token
description: The forge's own token for the bot, for the App's id and its key.
inputs:
  app-id: {required: true}
  private-key: {required: true}
outputs:
  token: {value: "${{ steps.token.outputs.token }}"}
  app-slug: {value: bot}
runs:
  using: composite
  steps:
    - id: token
      shell: bash
      env:
        APP: ${{ inputs.app-id }}
        KEY: ${{ inputs.private-key }}
      run: |
        test "$APP" = 42 && test -n "$KEY"
        echo "::add-mask::$KEY"
        echo "token=$KEY" >> "$GITHUB_OUTPUT"
"""
DOWNLOAD = """\
name: download-artifact
description: Copies artifacts of this run, or of another one by its number, under v4 rules.
inputs:
  path: {default: "."}
  pattern: {default: "*"}
  merge-multiple: {default: "false"}
  github-token: {default: ""}
  run-id: {default: "${{ github.run_id }}"}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        TARGET: ${{ inputs.path }}
        PATTERN: ${{ inputs.pattern }}
        MERGE: ${{ inputs.merge-multiple }}
        TOKEN: ${{ inputs.github-token }}
        RUN: ${{ inputs.run-id }}
      run: |
        from=$RUN_WORKFLOW_ARTIFACTS
        if [ "$RUN" != "$GITHUB_RUN_ID" ]; then
          test -n "$TOKEN"
          from=$(echo RUNS/"$RUN"/artifacts/*)
        fi
        for found in "$from"/*/; do
          name=$(basename "$found")
          case $name in $PATTERN) ;; *) continue ;; esac
          into=$TARGET; test "$MERGE" = true || into=$TARGET/$name
          mkdir -p "$into" && cp -r "$found." "$into"
        done
"""
