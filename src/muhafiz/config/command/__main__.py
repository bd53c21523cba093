"""`python -m muhafiz.config.command`, as the supervisor starts its children."""

from muhafiz.config.command import main

main()
