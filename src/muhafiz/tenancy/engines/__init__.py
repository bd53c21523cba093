"""The `portal` connection's two engines, under the names by which Django looks for them."""
