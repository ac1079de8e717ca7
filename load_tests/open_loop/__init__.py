"""Purchases that come when they come, however slow the answers: an open loop."""
