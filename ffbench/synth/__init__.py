"""The face engine: exact optical flow of rendered heads (paper, section 3)."""
