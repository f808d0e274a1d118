"""The operator's office."""
