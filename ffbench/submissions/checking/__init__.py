"""Whether a submission is what its protocol wants: files, names, flows and their convention."""
