"""What the pages know: records, what boards and methods are called, and where each method stands."""
