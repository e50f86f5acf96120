"""Skin textures from photographs: the head laid onto a portrait, and the portrait into the head's texture."""
