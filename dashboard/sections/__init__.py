"""Parts of pages: one module a page, named as in `views`."""
