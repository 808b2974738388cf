"""What other tools say of the same images, features and weights: the peers of parity.py."""

import contextlib
import io
import unittest.mock
from pathlib import Path

import numpy as np
import scipy.linalg
import torch


def _import_torchvision() -> None:
    """Imports torchvision; its wheel for CUDA lacks its operators beside a CPU build of PyTorch.

    Nothing here uses them, but it will not be imported while they are not declared.
    """
    library = torch.library.Library("torchvision", "DEF")
    while True:
        try:
            import torchvision  # noqa: F401

            return
        except RuntimeError as error:
            name = str(error).partition("operator torchvision::")[2].partition(" does not")[0]
            if not name:
                raise
            library.define(f"{name}(Tensor unused) -> Tensor")


_import_torchvision()

import lpips  # noqa: E402
from cleanfid.resize import build_resizer  # noqa: E402
from prdc import compute_prdc  # noqa: E402
from pytorch_fid import fid_score  # noqa: E402
from pytorch_fid import inception as pytorch_fid_inception  # noqa: E402
from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc  # noqa: E402
from torch_fidelity.feature_extractor_inceptionv3 import (  # noqa: E402
    FeatureExtractorInceptionV3,
)

_BATCH = 8
FEATURES = ("64", "192", "768", "2048", "logits_unbiased", "logits")


def _planes(images: np.ndarray) -> torch.Tensor:
    """Returns images as PyTorch lays them out, grey ones repeated."""
    colour = np.broadcast_to(images, (*images.shape[:3], 3))
    return torch.from_numpy(np.ascontiguousarray(colour.transpose(0, 3, 1, 2)))


class TorchFidelity:
    """torch-fidelity's Inception, with a weight file."""

    def __init__(self, weights: Path, batch: int = _BATCH, channels_last: bool = False) -> None:
        self._network = FeatureExtractorInceptionV3("inception", list(FEATURES), str(weights))
        self._batch = batch
        if channels_last:
            self._network = self._network.to(memory_format=torch.channels_last)

    def features(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns every output for uint8 images [n, height, width, channels]."""
        batches = [self._network(batch) for batch in _planes(images).split(self._batch)]
        return {
            name: torch.cat(parts).numpy()
            for name, parts in zip(FEATURES, zip(*batches, strict=True), strict=True)
        }


class PytorchFid:
    """pytorch-fid's Inception, with a weight file."""

    def __init__(self, weights: Path) -> None:
        state = torch.load(weights, weights_only=True)
        fetch = "load_state_dict_from_url"
        with unittest.mock.patch.object(pytorch_fid_inception, fetch, lambda *_, **__: state):
            self._network = pytorch_fid_inception.InceptionV3([3]).eval()

    @torch.no_grad()
    def features(self, images: np.ndarray) -> np.ndarray:
        """Returns the 2048 features for uint8 images [n, height, width, channels]."""
        batches = (_planes(images).float() / 255).split(_BATCH)
        return torch.cat([self._network(batch)[0] for batch in batches])[:, :, 0, 0].numpy()


def clean_resized(images: np.ndarray) -> np.ndarray:
    """Returns clean-fid's images of 299x299, in [0, 255]."""
    resizer = build_resizer("clean")
    return np.stack([resizer(np.broadcast_to(image, (*image.shape[:2], 3))) for image in images])


def torch_fidelity_fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Returns torch-fidelity's FID of features, in float64."""
    statistics = [
        metric_fid.fid_features_to_statistics(torch.from_numpy(features.astype(np.float64)))
        for features in (real, fake)
    ]
    name = metric_fid.KEY_METRIC_FID
    return metric_fid.fid_statistics_to_metric(*statistics, verbose=False)[name]


def pytorch_fid_fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Returns pytorch-fid's FID of features; SciPy no longer takes the `disp` that it gives."""
    statistics = []
    for features in (real, fake):
        features = features.astype(np.float64)
        statistics += [features.mean(axis=0), np.cov(features, rowvar=False)]
    sqrtm = scipy.linalg.sqrtm

    def sqrtm_with_disp(matrix: np.ndarray, disp: bool = True) -> object:
        return sqrtm(matrix) if disp else (sqrtm(matrix), 0.0)

    patch = unittest.mock.patch.object(scipy.linalg, "sqrtm", sqrtm_with_disp)
    with patch, contextlib.redirect_stdout(io.StringIO()):
        return float(fid_score.calculate_frechet_distance(*statistics))


def torch_fidelity_kid(
    real: np.ndarray, fake: np.ndarray, subsets: int, subset_size: int, seed: int
) -> float:
    """Returns torch-fidelity's KID, in float64."""
    tensors = [torch.from_numpy(features.astype(np.float64)) for features in (real, fake)]
    result = metric_kid.kid_features_to_metric(
        *tensors, kid_subsets=subsets, kid_subset_size=subset_size, rng_seed=seed, verbose=False
    )
    return result[metric_kid.KEY_METRIC_KID_MEAN]


def torch_fidelity_inception_score(logits: np.ndarray, splits: int) -> tuple[float, float]:
    """Returns torch-fidelity's Inception score, without a shuffle."""
    result = metric_isc.isc_features_to_metric(torch.from_numpy(logits), splits, shuffle=False)
    return result[metric_isc.KEY_METRIC_ISC_MEAN], result[metric_isc.KEY_METRIC_ISC_STD]


def prdc_figures(real: np.ndarray, fake: np.ndarray, neighbours: int) -> dict[str, float]:
    """Returns precision, recall, density and coverage of `prdc`."""
    with contextlib.redirect_stdout(io.StringIO()):
        figures = compute_prdc(real.astype(np.float64), fake.astype(np.float64), neighbours)
    return {name: float(value) for name, value in figures.items()}


def torch_fidelity_precision_recall(
    real: np.ndarray, fake: np.ndarray, neighbours: int
) -> tuple[float, float]:
    """Returns torch-fidelity's precision and recall, in float64."""
    tensors = [torch.from_numpy(features.astype(np.float64)) for features in (fake, real)]
    result = metric_prc.prc_features_to_metric(*tensors, prc_neighborhood=neighbours, verbose=False)
    return result[metric_prc.KEY_METRIC_PRECISION], result[metric_prc.KEY_METRIC_RECALL]


@torch.no_grad()
def lpips_distances(
    first: np.ndarray, second: np.ndarray, alexnet: Path, linear: Path
) -> np.ndarray:
    """Returns the lpips package's distances of pairs of uint8 images, with weight files."""
    network = lpips.LPIPS(pretrained=False, net="alex", pnet_rand=True, verbose=False).eval()
    layers = torch.load(alexnet, weights_only=True)
    slices = {"0": "slice1", "3": "slice2", "6": "slice3", "8": "slice4", "10": "slice5"}
    state = {}
    for name, tensor in layers.items():
        _, number, kind = name.split(".")
        state[f"net.{slices[number]}.{number}.{kind}"] = tensor
    for name, tensor in torch.load(linear, weights_only=True).items():
        state[name] = tensor
        state[f"lins.{name.removeprefix('lin')}"] = tensor
    unexpected = network.load_state_dict(state, strict=False).unexpected_keys
    if unexpected:
        raise RuntimeError(f"the lpips package does not know {unexpected}")
    one, other = (_planes(images).float() / 127.5 - 1 for images in (first, second))
    return network(one, other).flatten().numpy()
