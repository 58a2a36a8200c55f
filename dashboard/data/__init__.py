"""Answers for the pages: queries of the bundle, cached, and tables made from them."""
