"""Everything that changes feeds, reports and set-aside rows."""
