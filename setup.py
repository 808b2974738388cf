"""Installs gaug_jax: `pip install -e .`, with extras such as `pip install -e ".[cuda]"`."""

from setuptools import find_packages, setup

# Each range begins at the version that the tests ran with and ends before the next that may break.
REQUIRED = [
    "absl-py>=2.5.1,<3",
    "array_record>=0.8.6,<0.9",
    "clu>=0.0.12,<0.1",
    "flax>=0.12.8,<0.13",
    # tensorflow-datasets imports it and does not declare it.
    "importlib_resources>=7.1,<8",
    "jax>=0.10.2,<0.11",
    "jaxtyping>=0.3.11,<0.4",
    "jinja2>=3.1.6,<4",
    "matplotlib>=3.11.2,<4",
    "ml-collections>=1.1.0,<2",
    "numpy>=2.4.6,<3",
    "optax>=0.2.8,<0.3",
    "orbax-checkpoint>=0.12.8,<0.13",
    "pandas>=3.1.1,<4",
    "Pillow>=13.0.0,<14",
    "requests>=2.34.2,<3",
    "scikit-learn>=1.9.1,<2",
    "scipy>=1.17.1,<2",
    # clu's metric writers import both and declare neither. The CPU build where there is one.
    "tensorboard>=2.21.0,<3",
    "tensorflow-cpu>=2.21.0,<3; sys_platform == 'linux' and platform_machine == 'x86_64'",
    "tensorflow>=2.20,<3; sys_platform != 'linux' or platform_machine != 'x86_64'",
    "tensorflow-datasets>=4.9.10,<5",
    "tqdm>=4.70.1,<5",
    "umap-learn>=0.5.12,<0.6",
]

EXTRAS = {
    "cuda": ["jax[cuda12]>=0.10.2,<0.11"],
    "private": ["dp-accounting>=0.6,<0.7"],
    "test": [
        "dm-pix>=0.4.5,<0.5",
        "dp-accounting>=0.6,<0.7",
        "hypothesis>=6,<7",
        "ipykernel>=7,<8",
        "nbclient>=0.10,<1",
        "nbformat>=5.10,<6",
        "prv-accountant>=0.2,<0.3",
        "pytest>=9.2.0,<10",
        "pytest-xdist>=3.8.0,<4",
        "ruff>=0.17.6,<0.18",
        "submitit>=1.5,<2",
    ],
    "launch": ["submitit>=1.5,<2"],
    "bench": [
        "clean-fid>=0.1.35,<0.2",
        "lpips>=0.1.4,<0.2",
        "prdc>=0.2,<0.3",
        "pytorch-fid>=0.3,<0.4",
        "torch>=2.8,<3",
        "torch-fidelity>=0.4,<0.5",
    ],
}

setup(
    name="gaug_jax",
    version="0.1.0",
    description="GAN-based data augmentation where labelled images are scarce, in JAX",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["gaug_jax", "gaug_jax.*"]),
    package_data={"gaug_jax.reporting": ["templates/*"]},
    install_requires=REQUIRED,
    extras_require=EXTRAS,
)
