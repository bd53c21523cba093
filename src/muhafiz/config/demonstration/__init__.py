"""The demonstration nation: invented organizations on networks reserved for documentation.

Its lane is marked on every page and letter, and its only delivery channel is a folder: nothing
of it can reach a real recipient.
"""
