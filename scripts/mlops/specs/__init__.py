"""The files people and the tool write, one module a file: frozen, unknown keys forbidden."""
