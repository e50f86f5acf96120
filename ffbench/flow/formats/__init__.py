"""The file formats of optical flow, one module each."""
