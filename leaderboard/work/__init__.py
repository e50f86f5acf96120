"""Work of visitors': one at a time of each kind, in a process that is bounded, in a folder that does not stay."""
