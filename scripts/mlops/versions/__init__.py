"""Versions of a dataset: their history, what differs, what learned from them, and the way back."""
