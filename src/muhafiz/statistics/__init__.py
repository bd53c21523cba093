"""What the public is told in numbers: weekly figures in which nobody can be recognized."""
