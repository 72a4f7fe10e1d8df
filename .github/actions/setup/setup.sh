#!/usr/bin/env bash
# Makes the template's `mlops` the command of the steps that follow, whatever folder they work in.
set -euo pipefail
template=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

# A template beside the caller's files is not one of them.
exclude=$(git rev-parse --git-path info/exclude)
mkdir -p "$(dirname "$exclude")"
printf '/.template/\n/.venv\n/results/\n/report/\n' >> "$exclude"

bin=$("$template/scripts/setup" --where)
printf 'bin=%s\n' "$bin" >> "$GITHUB_OUTPUT"
printf '%s\n' "$bin" >> "$GITHUB_PATH"
# An environment made elsewhere runs this checkout's code.
printf 'PYTHONPATH=%s/scripts\n' "$template" >> "$GITHUB_ENV"

# No checkout keeps a credential, so what the checks fetch later is fetched here.
if [ -n "${READ_TOKEN:-}" ]; then
  # shellcheck disable=SC2016  # Git runs it, with the token from its environment
  helper='!f() { test "$1" = get && echo username=x-access-token && echo "password=$READ_TOKEN"; }; f'
  GIT_TERMINAL_PROMPT=0 git -c "credential.$GITHUB_SERVER_URL.helper=$helper" fetch --quiet --no-tags origin \
    '+refs/mlops/*:refs/mlops/*' ||
    echo '::notice::refs/mlops cannot be fetched: since when releases serve and what tests reach is not known'
fi
