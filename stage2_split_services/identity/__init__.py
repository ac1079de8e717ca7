"""Accounts, and the tokens by which every service knows a guest."""
