"""Installs gaug_jax: `pip install -e .`, with extras such as `pip install -e ".[cuda]"`."""

from setuptools import find_packages, setup

REQUIRED = [
    "absl-py>=2.1,<3",
    "array_record>=0.8,<0.9",
    "clu>=0.0.12,<0.1",
    "flax>=0.12,<0.13",
    # tensorflow-datasets imports it and does not declare it.
    "importlib_resources>=6",
    "jax>=0.10,<0.11",
    "jaxtyping>=0.3,<0.4",
    "matplotlib>=3.9,<4",
    "ml-collections>=1.1,<2",
    "numpy>=2.1,<3",
    "optax>=0.2.5,<0.3",
    "orbax-checkpoint>=0.11.30,<0.13",
    "pandas>=2.2,<4",
    "Pillow>=11,<14",
    "requests>=2.31,<3",
    "scikit-learn>=1.6,<2",
    "scipy>=1.15,<2",
    # clu's metric writers import both and declare neither. The CPU build where there is one.
    "tensorboard>=2.20,<3",
    "tensorflow-cpu>=2.20,<3; sys_platform == 'linux' and platform_machine == 'x86_64'",
    "tensorflow>=2.20,<3; sys_platform != 'linux' or platform_machine != 'x86_64'",
    "tensorflow-datasets>=4.9.9,<5",
    "tqdm>=4.66,<5",
    "umap-learn>=0.5.9,<0.6",
]

EXTRAS = {
    "cuda": ["jax[cuda12]>=0.10,<0.11"],
    "test": ["hypothesis>=6,<7", "pytest>=8,<10", "pytest-xdist>=3.6,<4", "ruff>=0.14,<0.18"],
    "launch": ["submitit>=1.5,<2"],
    "bench": ["torch>=2.8,<3"],
    "notebooks": ["ipykernel>=6,<8", "nbclient>=0.10,<1"],
}

setup(
    name="gaug_jax",
    version="0.1.0",
    description="GAN-based data augmentation where labelled images are scarce, in JAX",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["gaug_jax", "gaug_jax.*"]),
    install_requires=REQUIRED,
    extras_require=EXTRAS,
)
