"""Metrics: pure functions from flows to sums and counts, and statistics over pairs."""
