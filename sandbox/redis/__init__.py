"""A real Redis for the laptop, from PATH or from a Python wheel."""
