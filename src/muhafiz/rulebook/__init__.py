"""The parameters of a jurisdiction: dated, with their source, changed by two people."""
