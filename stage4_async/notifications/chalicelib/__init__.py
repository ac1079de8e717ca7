"""Notifications: guests are told how their orders ended."""
