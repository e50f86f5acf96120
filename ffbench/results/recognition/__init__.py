"""Records of recognition as a paper needs them: by subject, methods by recognisers, and the folds."""
