"""Talking with a guest: the dialogue's state lies in the database between requests."""
