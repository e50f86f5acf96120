"""Small pictures of what methods make of three fixed pairs of rendered faces."""
