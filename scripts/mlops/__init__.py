"""GitOps for machine learning: the `mlops` command and what the services are built from."""

import os

# pydantic would look for plugins in every installed package, which costs a person's wait.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
