"""Sweeps of this project; a sweep of yours may lie anywhere."""
