"""Pictures of flows, for people."""
