"""The diversity of a generated dataset: people against each other and their sources, and their expressions."""
