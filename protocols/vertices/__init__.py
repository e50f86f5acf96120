"""Flow at the vertices of tracked meshes: MEAD and CK+."""
