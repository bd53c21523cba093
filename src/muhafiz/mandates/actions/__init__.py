"""Steps of mandates."""
