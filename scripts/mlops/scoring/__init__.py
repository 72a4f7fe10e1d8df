"""Turning rows into predictions: the same code offline, in evaluation and in a service."""
