"""Protocols that learn: their descriptors, which runs share, and what is learnt from them."""
