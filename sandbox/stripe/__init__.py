"""A local stand-in for Stripe that the official library cannot tell from it."""
