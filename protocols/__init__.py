"""Protocols that come with ffbench: one module a family."""
