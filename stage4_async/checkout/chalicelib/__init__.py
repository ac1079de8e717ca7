"""Checkout: purchases, and what became of them."""
