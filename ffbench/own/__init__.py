"""Methods that are no installed package: code of the user's own by file or module, and model folders."""
