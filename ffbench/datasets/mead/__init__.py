"""MEAD: videos of people who talk with emotion."""
