"""What goes out to those who make predictions, and the predictions that ffbench makes itself."""
