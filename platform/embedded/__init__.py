"""Real PostgreSQL and Valkey from wheels, and `make demo`. Imports nothing else of this project."""
