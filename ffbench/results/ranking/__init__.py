"""Which method is better: the order of a board, and two methods pair by pair."""
