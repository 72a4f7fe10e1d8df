"""What a reviewer reads: one report of all that the checks of a change found."""
