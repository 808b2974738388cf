"""Placeholder until the real module lands."""
from jax import lax
def default_implementation(platform=None): return "native"
def convolution(x, kernel, *, implementation):
    return lax.conv_general_dilated(x, kernel, (2,2), ((1,1),(1,1)), dimension_numbers=("NHWC","HWIO","NHWC"))
def transposed_convolution(x, kernel, *, implementation):
    return lax.conv_transpose(x, kernel, (2,2), ((2,2),(2,2)), dimension_numbers=("NHWC","HWIO","NHWC"))
