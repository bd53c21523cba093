"""One box: everything by its id, its address, its hash, or a word that stands in it."""
