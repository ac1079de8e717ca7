"""The lecture's claims, each with one command, one plot and one paragraph."""
