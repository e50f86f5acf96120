"""Files that hold no flow: numpy arrays, pickles that are never run, the FLAME model."""
