"""The story that `scripts/demo` tells: every step is a command a person can type."""
