"""The event lake: security events at rest, in immutable Parquet segments.

Write: `actions.append.append_batch`, or its steps: some in threads, the last a transaction of rows.
Read: `queries.scan`, `scan_days`, `count`, `top`, `series`, `event`, given a `query.EventQuery`.
Prove: `actions.verification.verify`.
"""
