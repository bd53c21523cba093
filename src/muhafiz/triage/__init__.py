"""What waits for a person: one queue by the clock, gathered from every room, and the watch."""
