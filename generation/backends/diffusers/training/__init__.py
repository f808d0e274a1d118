"""How the built-in model was made, from nothing: `python -m generation.backends.diffusers.training --help`."""
