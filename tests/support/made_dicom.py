"""DICOM films made in memory, and what the standard's formulas make of them."""

import io
import math

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def film(pixels, syntax=ExplicitVRLittleEndian, **tags):
    """Returns a data set of an image of [height, width] or [height, width, 3]."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.HighBit = tags.get("HighBit", dataset.BitsStored - 1)
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    return dataset


def encoded(dataset):
    """Returns the bytes of a data set's file."""
    file = io.BytesIO()
    syntax = dataset.file_meta.TransferSyntaxUID
    # Of a private syntax pydicom has to be told how to write it.
    how = {"implicit_vr": False, "little_endian": True} if syntax.is_private else {}
    dataset.save_as(file, enforce_file_format=True, **how)
    return file.getvalue()


def table(descriptor, data, vr="US"):
    """Returns an item of a sequence of lookup tables; data are integers, or bytes for OW."""
    item = Dataset()
    item.LUTDescriptor = descriptor
    item.add_new("LUTData", vr, data)
    return item


def windowed(value, centre, width, function="LINEAR"):
    """Returns what PS3.3 C.11.2.1.2 and C.11.2.1.3 make of one value, with the range [0, 255]."""
    least, greatest = 0, 255
    if function == "SIGMOID":
        exponent = min(-4 * (value - centre) / width, 700)  # exp(700) is nearly the greatest float.
        return greatest / (1 + math.exp(exponent))
    if function == "LINEAR":
        if value <= centre - 0.5 - (width - 1) / 2:
            return least
        if value > centre - 0.5 + (width - 1) / 2:
            return greatest
        scaled = (value - (centre - 0.5)) / (width - 1) + 0.5
        return scaled * (greatest - least) + least
    if value <= centre - width / 2:
        return least
    if value > centre + width / 2:
        return greatest
    return ((value - centre) / width + 0.5) * (greatest - least) + least


def of_every_value(values, function):
    """Returns a function of one number, for each of an array."""
    distinct, places = np.unique(values, return_inverse=True)
    return np.array([function(float(value)) for value in distinct])[places].reshape(values.shape)


def shown_by_the_standard(dataset, values):
    """Returns in float64 what a film's own window, or percentiles, make of its values.

    Args:
      dataset: its tags; without tables.
      values: after the Modality LUT.
    """
    centre, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if centre is not None:
        first = float(np.atleast_1d(centre)[0]), float(np.atleast_1d(width)[0])
        function = dataset.get("VOILUTFunction", "LINEAR")
        grey = of_every_value(values, lambda value: windowed(value, *first, function))
    else:
        low, high = np.percentile(values, [0.5, 99.5])
        if low == high:
            low, high = values.min(), values.max()
        grey = np.clip((values - low) / (high - low) * 255, 0, 255)
    return 255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey
