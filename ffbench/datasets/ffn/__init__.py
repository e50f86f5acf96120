"""FacialFlowNet: rendered pairs with facial and head flow."""
