"""Evaluation: predict, score, record."""

from ffbench.evaluation.runner import Evaluation, Progress, evaluate

__all__ = ["Evaluation", "Progress", "evaluate"]
