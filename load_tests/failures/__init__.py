"""What every operation answers, and how fast, while one service is away."""
