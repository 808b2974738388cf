"""scikit-learn's 1,797 handwritten digits, 8x8 pixels, which come with the library.

Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
Repository, 1998 (its test part; CC BY 4.0). 13 people wrote it, but which digit is
whose is not published: groups are not known.
"""

import numpy as np

from gaug_jax.data.record import Record, SourceData
from gaug_jax.settings import DataSettings

_VERSION = "1"


def read(settings: DataSettings) -> SourceData:
    """Returns the digits; the values 0 .. 16 become 0 .. 255. Needs no path."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = np.round(images.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    records = tuple(
        Record(name=f"{index:04d}", picture=image, label=str(label))
        for index, (image, label) in enumerate(zip(images, labels, strict=True))
    )
    return SourceData(
        source="digits",
        version=_VERSION,
        records=records,
        notes=("scikit-learn does not say who wrote which digit",),
        licence="CC BY 4.0",
    )
