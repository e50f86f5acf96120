"""Flow of a person's own clip: as a video, a still head, points that are carried along."""
