"""The event lake: security events at rest, in immutable Parquet segments.

Write: `actions.append.append_batch` (or `prepare_batch` in threads, then `append_prepared`).
Read: `queries.scan`, `scan_days`, `count`, `top`, `series`, `event`, given a `query.EventQuery`.
Prove: `actions.verification.verify`.
"""
