"""Draws clips of the small world: float32 pictures of 96 x 160 x 3 in 0..1, 16 to a clip."""
