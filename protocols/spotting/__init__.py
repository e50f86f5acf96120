"""Spot, then recognise: find micro-expressions in whole clips, and name them (docs/protocols/spotting.md)."""
