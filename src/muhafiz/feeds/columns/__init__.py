"""The parsing kit that sources share: from bytes to columns of security events.

`chunks` (bytes in UTF-8) → `records` and `elements` (blocks of whole rows) → `csv_rows` and
`json_rows` (a block's fields) → `mapping` (whose fields are whose) → `drafts` (typed, checked
columns). No Django, no clock, no storage; all functions are pure.
"""
