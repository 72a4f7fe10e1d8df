"""One command measures a table of figures: python -m benchmarks NAME."""
