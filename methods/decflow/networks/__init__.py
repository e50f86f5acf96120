"""The networks of the family, and what they share."""
