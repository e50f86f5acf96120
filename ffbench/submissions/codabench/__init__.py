"""A protocol as a competition on Codabench: the bundle that makes one, and the program that scores there."""
