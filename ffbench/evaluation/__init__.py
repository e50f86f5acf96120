"""Evaluation: predict, score, record."""

from ffbench.evaluation.runner import Progress, evaluate, run_folder

__all__ = ["Progress", "evaluate", "run_folder"]
