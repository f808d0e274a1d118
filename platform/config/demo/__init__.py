"""A believable programme for a first look: people, terms, a policy, clips. Made by the real services."""
