"""Heads: meshes whose vertices follow identity, expression and pose."""
