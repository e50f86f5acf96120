"""Evaluation: predict, score, record."""

from ffbench.evaluation.runner import evaluate, run_folder
from ffbench.protocol import Progress

__all__ = ["Progress", "evaluate", "run_folder"]
