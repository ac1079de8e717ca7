"""Guests who look around, chat, buy and follow their orders, played by Locust."""
