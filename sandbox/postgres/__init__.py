"""A real PostgreSQL for the laptop, run from a Python wheel."""
