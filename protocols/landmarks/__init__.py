"""Flow at landmarks: CK+, and real clips against a pseudo reference."""
