"""Labelled pairs: FacialFlowNet's recipe, a stream for training, and datasets on disk."""
