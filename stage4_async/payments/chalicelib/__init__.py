"""Payments: orders are charged here, and ended."""
