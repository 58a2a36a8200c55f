"""Calibration of the labels: synthetic heads with known labels, labeled by the rules of a run."""
