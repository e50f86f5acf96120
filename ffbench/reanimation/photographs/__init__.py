"""Photographs and clips of faces: where they are, whom they show, and which faces can be used."""
