"""Face meshes that were tracked through the videos of MEAD and CK+."""
