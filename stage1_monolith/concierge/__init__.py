"""The concierge as one application: everything in one process and one database."""
