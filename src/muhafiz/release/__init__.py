"""The one door out: audience, TLP gate, ledger, recall."""
