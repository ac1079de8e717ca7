"""Postman: sends letters to guests."""
