"""Checkout: purchases, their orders and their payment."""
