"""`score-maps`: maps of any model against known masks, printed. Makes no bundle."""
