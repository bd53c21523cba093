"""Writing to the queue."""
