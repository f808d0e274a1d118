"""What tests stand on: real services, real processes, a real browser. Knows nothing of the product's nouns."""
