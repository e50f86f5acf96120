"""Results for readers: boards, the paper's tables, comparisons and records, as tables and pictures."""
