"""A clone whose files say which repository Argo CD reads, and on which forge it lies."""

from typing import Any

import yaml

from tests.team import Team

REPOSITORY = "https://git.example.com/toys/toy-project.git"
ARGOCD = f'\n[argocd]\nrepository = "{REPOSITORY}"\n'
FORGES = {
    "local": "",
    "github": 'repository = "toys/toy-project"\n',
    "own-github": 'repository = "toys/toy-project"\nurl = "https://github.example.com"\n',
    "gitea": 'repository = "toys/toy-project"\nurl = "https://git.example.com/"\n',
}


def with_argocd(team: Team, more: str = ARGOCD, forge: str = "local") -> None:
    """Let the clone say what Argo CD reads."""
    text = (team.root / "mlops.toml").read_text()
    kind = forge.removeprefix("own-")
    text = text.replace('kind = "local"\n', f'kind = "{kind}"\n{FORGES[forge]}')
    (team.root / "mlops.toml").write_text(text + more)


def documents(text: str) -> dict[str, dict[str, Any]]:
    """The documents of a file by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(text)}
