"""Evaluation of trained models: accuracy, calibration, robustness, other data sets."""
