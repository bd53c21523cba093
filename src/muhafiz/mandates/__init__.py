"""Who is a CERT, for whom, and by which gazette."""
