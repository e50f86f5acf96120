"""How much flow changes when frames are corrupted."""
