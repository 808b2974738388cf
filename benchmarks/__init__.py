"""Speed beside PyTorch's, never part of the tests."""
