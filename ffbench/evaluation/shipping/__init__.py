"""Records that ship: the rows that are planned, which are stale, and running these again."""
