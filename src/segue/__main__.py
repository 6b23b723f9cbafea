"""``python -m segue`` is ``segue``."""

from segue.cli.app import main

main()
