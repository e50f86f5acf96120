"""Commands that list, check, make and measure datasets, and fetch what they are made of."""
