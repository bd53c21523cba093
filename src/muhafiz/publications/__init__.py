"""The press: numbers without gaps, documents anybody can verify, tombstones."""
