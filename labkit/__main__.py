"""`python -m labkit`, for machines without make or the `labkit` script."""

from labkit.cli import main

main()
