"""Logging Git in with a token that stands in no address, argument or file."""

from collections.abc import Mapping

VARIABLE = "MLOPS_GIT_TOKEN"
# Run by Git's own shell; the token comes from the environment.
HELPER = (
    f'!f() {{ test "$1" = get && echo username=x-access-token && echo "password=${VARIABLE}"; }}; f'
)


def login(url: str, token: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables by which Git logs in at `url`, and nowhere else, with the token.

    Args:
        url: the forge's web address.
        environment: that of this process; what it configures for Git stays.
    """
    if not url.startswith(("http://", "https://")):
        return {}
    key = f"credential.{url}.helper"
    # The empty value takes away helpers that would answer with another person's token.
    settings = [(key, ""), (key, HELPER)]
    first = int(environment.get("GIT_CONFIG_COUNT") or 0)
    variables = {VARIABLE: token, "GIT_CONFIG_COUNT": str(first + len(settings))}
    for place, (name, value) in enumerate(settings, start=first):
        variables[f"GIT_CONFIG_KEY_{place}"] = name
        variables[f"GIT_CONFIG_VALUE_{place}"] = value
    return variables
