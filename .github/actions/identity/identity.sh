#!/usr/bin/env bash
# Writes the OIDC token to a file and names it, and the role, for the steps that follow.
set -euo pipefail
if [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
  echo "::notice::no identity token is given to this job, so it goes on without $ROLE"
  exit 0
fi
umask 077
token=$RUNNER_TEMP/identity-token
curl --silent --show-error --fail --retry 3 \
  --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' > "$token"
{
  printf 'AWS_WEB_IDENTITY_TOKEN_FILE=%s\n' "$token"
  printf 'AWS_ROLE_ARN=%s\n' "$ROLE"
  printf 'AWS_ROLE_SESSION_NAME=mlops-%s\n' "$GITHUB_RUN_ID"
} >> "$GITHUB_ENV"
