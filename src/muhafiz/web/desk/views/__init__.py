"""Each view asks one query or takes one action, and answers."""
