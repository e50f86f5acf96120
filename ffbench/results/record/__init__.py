"""One run: its record, its table of pair scores, and the row that a table of results needs of it."""
