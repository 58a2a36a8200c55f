"""Calibration of the labels: heads of known meaning, labeled by the rules that a run uses."""
