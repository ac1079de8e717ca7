"""A local AWS: MiniStack, with signatures, tokens and policies enforced."""
