"""What several commands use: options, the options of a run, what is printed, and trying what others add."""
