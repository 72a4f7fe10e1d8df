"""GitOps for machine learning: the `mlops` command and what the services are built from."""
