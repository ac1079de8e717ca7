"""The cost model: from how the concierge is used to a month's bill, line by line."""
