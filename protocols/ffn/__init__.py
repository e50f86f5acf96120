"""FacialFlowNet: facial, head and expression flow at every pixel."""
