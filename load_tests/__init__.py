"""Load and measurements: what each stage can take, and what it costs."""
