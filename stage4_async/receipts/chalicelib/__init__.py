"""Receipts: a record of every sale, for who keeps the books."""
