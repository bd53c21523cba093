"""Every change to the constituency."""
