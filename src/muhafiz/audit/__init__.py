"""What was done and read here, by whom, when: a Merkle log (RFC 6962) that only grows."""
