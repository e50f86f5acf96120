"""Errors of a dense flow against the true one: every pixel, by class and speed, by smoothness and by confidence."""

from ffbench.metrics.dense.errors import dense_terms, per_image

__all__ = ["dense_terms", "per_image"]
