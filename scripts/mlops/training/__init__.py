"""Models: training, registry, evaluation, gates."""
