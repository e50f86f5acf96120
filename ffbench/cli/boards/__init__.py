"""Commands that compare, rank, show and check records."""
