"""Changes to the rulebook."""
