"""``python -m segue.cli`` is ``segue``."""

from segue.cli.app import main

main()
