"""`python -m synthbench`."""

from synthbench.cli.main import main

main()
