"""Commands that estimate and show flow of a user's own images and videos."""
