"""Methods around a method: what can be done before and after any of them, named in its id."""
