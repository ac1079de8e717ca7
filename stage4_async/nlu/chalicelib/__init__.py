"""The nlu service: what a guest says, understood and answered."""
