"""CK+: acted expressions with landmarks."""
