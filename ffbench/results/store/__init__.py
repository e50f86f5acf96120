"""Stores of records: what lies in them, and whether it holds."""
