"""`python -m ffbench` is `ffbench`."""

from ffbench.cli import main

main()
