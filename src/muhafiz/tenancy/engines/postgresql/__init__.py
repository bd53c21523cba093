"""The `portal` connection on PostgreSQL."""
