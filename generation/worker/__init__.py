"""What a render worker does between a wake-up and the store. Imports the engine only when it renders."""
