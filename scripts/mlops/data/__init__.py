"""Datasets: contract, validation, versions pinned by content."""
