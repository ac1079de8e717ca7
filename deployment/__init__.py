"""Deploy a stage to AWS, or to what the laptop has instead: the very same stacks."""
