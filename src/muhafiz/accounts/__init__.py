"""Who works with the platform, in which roles, and what each role may do."""
