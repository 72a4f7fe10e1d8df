"""The search for a model's parameters: tries on the training rows alone, kept in the registry."""
