"""Answers for the pages: queries of the bundle, vectors, and tables made from them.

The only package of the dashboard that caches: by `cached.kept`, arrays by `head_vectors.cached_array`.
"""
