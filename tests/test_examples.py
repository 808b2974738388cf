"""The examples in docstrings run as they stand."""

import doctest
import importlib

import pytest

MODULES = [
    "classifiers.fitted",
    "classifiers.logistic",
    "data.splits",
    "downstream.balance",
    "downstream.external",
    "downstream.tuning",
    "evaluation.metrics.calibration",
    "evaluation.metrics.intervals",
    "evaluation.metrics.kid",
    "evaluation.metrics.nearest",
    "gan.drawing",
    "settings.config",
    "synthesis.drawing",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"gaug_jax.{name}")
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for test in finder.find(module, extraglobs={"np": importlib.import_module("numpy")}):
        if test.examples:
            runner.run(test)
    found = runner.summarize(verbose=False)
    assert found.attempted > 0 and found.failed == 0, found


def test_every_module_with_examples_is_named():
    from support.commands import ROOT

    package = ROOT / "gaug_jax"
    found = {
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("*.py")
        if ">>> " in path.read_text()
    }
    assert found == set(MODULES)
