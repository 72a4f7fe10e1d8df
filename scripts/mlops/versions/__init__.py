"""Versions of datasets: what was pinned, what differs, who learned from it, the way back."""
