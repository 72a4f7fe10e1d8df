"""The embedded reconciler: an environment folder made real as local processes."""
