"""The regression check: small evaluations against a committed baseline."""
