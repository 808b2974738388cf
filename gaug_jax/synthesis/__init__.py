"""Stage 3: synthetic images from a checkpoint."""
