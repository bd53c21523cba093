"""Feeds in: reports are kept as they came, read, attributed and handed to the lake.

Five doors (drop folder, mail, a source's own API, the command line, the web) lead to one action,
`actions.intake.keep_report`. What it acknowledged is on disk and in the database. Reading follows
as a job that may be killed at any point: each batch's events, set-aside rows and progress are
one transaction.
"""
