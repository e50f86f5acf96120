"""A person before a background in front of a camera, and the frames and videos of it."""
