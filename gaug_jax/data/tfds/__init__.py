"""TFDS: the project's own data sets as builders, and any prepared data set read back."""
