"""What is wrong with the platform, and how to mend it: on the command line and on the desk.

Each room tells of itself in its `examinations.py`; they are found, not listed.
"""
