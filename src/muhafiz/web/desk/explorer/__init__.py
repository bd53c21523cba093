"""The event explorer: what is asked in the address, and how its answers are drawn and listed."""
