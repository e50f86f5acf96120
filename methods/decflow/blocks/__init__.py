"""Parts that the networks of the family are built from."""
