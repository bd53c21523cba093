"""Detection: who is told what about their networks, once, and why."""
