"""What a stage will do, predicted from another load, and held against the clock."""
