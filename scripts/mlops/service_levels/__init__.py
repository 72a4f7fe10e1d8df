"""What a contract promises beside its rules: whether it is kept, whom to tell, what alerts."""
