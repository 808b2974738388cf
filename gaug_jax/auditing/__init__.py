"""Whether generated images give away the real ones: attacks on whom they come from."""
