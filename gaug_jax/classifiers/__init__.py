"""Classifiers of images: how they are fitted, used and kept; they know nothing of the GAN."""
