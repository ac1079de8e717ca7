"""A local stand-in for the places that tables and rooms are booked at."""
