"""What a pull request is checked by: one part a module, each on a laptop as in CI."""
