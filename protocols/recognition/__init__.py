"""Micro-expression recognition from flow."""
