"""The course around the product: its site, its generated pages, its exercises."""
