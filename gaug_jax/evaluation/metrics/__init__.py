"""Metrics, one file each: feature arrays in, figures out."""
