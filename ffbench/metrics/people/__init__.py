"""Measures of people in a dataset: how much they differ, and how light their skin is."""
