"""State of a page: one dataclass of options a page, and the address bar that holds it."""
