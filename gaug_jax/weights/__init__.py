"""Public weights of known networks: found, checked, and mapped to this project's parameters."""
