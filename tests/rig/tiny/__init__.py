"""Checkpoints of the real classes with random weights, laid out as published ones are: a family in under a second."""
