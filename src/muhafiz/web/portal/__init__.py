"""The constituents' face: what is wrong at their networks, and what they answer."""
