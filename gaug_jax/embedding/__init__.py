"""Stage 4: where real and generated images lie beside one another."""
