"""The commands `run`, `part` and `merge`, from options to a bundle."""
