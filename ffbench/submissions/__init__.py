"""Predictions made elsewhere: what files a protocol wants, whether they are right, and what they score."""
