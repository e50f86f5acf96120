"""Blender as another renderer of the same scenes."""
