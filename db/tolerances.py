"""Tolerances within which numbers of two bundles are equal."""

TOLERANCE = 1e-5
"""Two numbers of a table are equal within tolerance * (1 + the larger of both)."""

VECTOR_TOLERANCE = 2e-3
"""Two stored numbers are equal within tolerance * (RMS of the column + the larger of both).

float16 has 11 bits; half a unit in the last place is 5e-4.
"""
