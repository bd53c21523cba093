"""Who is protected: organizations, what is theirs, and whom to write to."""
