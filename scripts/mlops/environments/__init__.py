"""Environment folders: rendering, kinds of pull requests, their rules and texts."""
