"""Rules learned from a dataset's pinned version: what a batch of it usually looks like."""
