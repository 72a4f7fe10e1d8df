"""A model's pipeline: one graph of `mlops` lines, for a laptop and for Argo Workflows."""
