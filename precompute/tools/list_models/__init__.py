"""The command `models`: a list of models with the facts to report beside their figures."""
