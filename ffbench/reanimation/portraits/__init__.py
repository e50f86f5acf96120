"""A face of a photograph as a surface in space: its mesh, regions, expressions, body and what is behind it."""
