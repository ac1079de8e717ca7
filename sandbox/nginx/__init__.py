"""A real nginx for the laptop: the gateway in front of a stage's services."""
