"""All four stages, the same guests, the same CPU: where each wins, and by how much."""
