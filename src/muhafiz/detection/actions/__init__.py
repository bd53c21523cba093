"""What changes policies, windows and notices."""
