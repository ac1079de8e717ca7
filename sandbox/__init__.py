"""Local stand-ins for other people's systems, and the runner of the stages."""
