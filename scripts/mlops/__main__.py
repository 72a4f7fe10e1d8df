"""`python -m mlops`, the same as `mlops`."""

from mlops.cli import main

main()
