"""Installs gaug_jax, which pyproject.toml describes."""

from setuptools import setup

setup()
