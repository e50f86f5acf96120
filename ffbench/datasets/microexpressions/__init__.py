"""Datasets of micro-expressions that are a table of clips and a folder of numbered frames for each."""
