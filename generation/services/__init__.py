"""The only writers of generation's tables."""
