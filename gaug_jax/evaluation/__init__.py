"""Stage 5: how good the generated images are."""
