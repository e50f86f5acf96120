"""Training of the family: the parts and losses that a recipe names."""
