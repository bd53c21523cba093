"""The `portal` connection on SQLite."""
