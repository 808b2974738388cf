"""Our figures beside what other tools said of the same inputs (`benchmarks/parity.py --golden`)."""

from pathlib import Path

import numpy as np
import pytest
from support.golden_inputs import golden_features, golden_images
from support.random_weights import weights_folder

from gaug_jax.evaluation.features import extract, make_extractor
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.evaluation.metrics.frechet import frechet_distance, gaussian_statistics
from gaug_jax.evaluation.metrics.inception_score import inception_score
from gaug_jax.evaluation.metrics.kid import kid_of_subsets
from gaug_jax.evaluation.metrics.precision_recall import precision_recall
from gaug_jax.evaluation.perceptual import make_perceptual_distance
from gaug_jax.evaluation.resize import to_inception_input
from gaug_jax.models.inception import Inception
from gaug_jax.weights.inception import inception_parameters
from gaug_jax.weights.weight_files import INCEPTION, read_weights

GOLDEN = np.load(Path(__file__).parent.parent / "data" / "fidelity_golden.npz")
OUTPUTS = ("64", "192", "768", "2048", "logits_unbiased", "logits")


def extracted(mode):
    extractor = make_extractor(
        "inception", resize_mode=mode, inception_weights=str(weights_folder()),
        allow_unofficial_weights=True,
    )  # fmt: skip
    assert not extractor.official
    return extract(extractor, array_set("golden", golden_images()))


def assert_close(ours, theirs):
    """Within 1e-4 of each image's largest value: the project's tolerance for features."""
    scale = np.abs(theirs).max(axis=1, keepdims=True)
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-4)


@pytest.mark.parametrize("implementation", ["native", "by_columns"])
def test_every_output_of_inception_is_torch_fidelitys(implementation):
    tensors = read_weights(INCEPTION, str(weights_folder()), allow_unofficial=True).tensors
    params = inception_parameters(tensors, "the test's weights")
    images = to_inception_input(golden_images(), "tf1")
    outputs = Inception(implementation).apply(params, images)
    for name, ours in zip(OUTPUTS, outputs, strict=True):
        assert_close(np.asarray(ours), GOLDEN[f"tf1_{name}"])


def test_the_extractor_gives_torch_fidelitys_features_on_all_devices():
    ours = extracted("tf1")
    assert_close(ours.features, GOLDEN["tf1_2048"])
    assert_close(ours.logits, GOLDEN["tf1_logits_unbiased"])


def test_the_extractor_gives_pytorch_fids_features():
    assert_close(extracted("torch").features, GOLDEN["torch_2048"])


def test_lpips_is_the_lpips_packages():
    images = golden_images()
    distance = make_perceptual_distance(str(weights_folder()), allow_unofficial=True)
    assert not distance.official
    np.testing.assert_allclose(
        distance.function(images[:-1], images[1:]), GOLDEN["lpips"], rtol=1e-4
    )
    np.testing.assert_allclose(distance.function(images, images), 0.0, atol=1e-7)


def test_frechet_distance_is_torch_fidelitys():
    statistics = map(gaussian_statistics, (golden_features(80, 1), golden_features(60, 2)))
    np.testing.assert_allclose(frechet_distance(*statistics), GOLDEN["fid"], rtol=1e-6)


def test_kernel_distance_is_torch_fidelitys_on_its_subsets():
    indices = list(zip(GOLDEN["kid_indices_real"], GOLDEN["kid_indices_fake"], strict=True))
    distances = kid_of_subsets(golden_features(80, 1), golden_features(60, 2), indices)
    np.testing.assert_allclose(distances.mean(), GOLDEN["kid"], rtol=1e-9)


def test_inception_score_is_torch_fidelitys():
    score = inception_score(golden_features(60, 2), splits=10)
    np.testing.assert_allclose(score, GOLDEN["inception_score"], rtol=1e-6)


def test_precision_recall_density_and_coverage_are_prdcs():
    figures = precision_recall(golden_features(80, 1), golden_features(60, 2), k=5)
    for name, value in figures._asdict().items():
        assert value == pytest.approx(float(GOLDEN[f"prdc_{name}"]), abs=1e-12), name


def test_precision_and_recall_are_torch_fidelitys_at_three_neighbours():
    figures = precision_recall(golden_features(80, 1), golden_features(60, 2), k=3)
    np.testing.assert_allclose(figures[:2], GOLDEN["precision_recall_k3"], atol=1e-7)
