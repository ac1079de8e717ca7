"""Notifications: telling guests by e-mail how their orders ended."""
