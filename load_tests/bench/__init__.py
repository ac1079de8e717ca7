"""What a stage costs over a bare Flask view, and how fast and how big it is."""
