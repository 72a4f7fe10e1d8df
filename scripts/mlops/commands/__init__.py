"""One module a verb; each holds a click command and a plain function that returns an exit code."""
