"""What runs leave behind: records, the store of those sent in, ranking, and tables of it all."""
