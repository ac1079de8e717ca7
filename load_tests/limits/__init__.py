"""The limits model: from people a month to the first quota or resource that breaks."""
