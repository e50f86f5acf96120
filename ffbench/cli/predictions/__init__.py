"""Commands that write, check and score files of predictions."""
