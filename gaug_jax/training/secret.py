"""The secret of a private run: what its noise and its batches are drawn from.

A seed in a config is known to all who have it, and who knows the noise can take it away again.
So a private run draws from 64 bits of the operating system's, which its work folder keeps for
itself, to go on after a stop. JAX's generator is fast and good, not a cipher.
"""

import os
import re
import secrets

import jax
import numpy as np
from jaxtyping import Array

from gaug_jax import processes
from gaug_jax.errors import UserError
from gaug_jax.files import atomic_file
from gaug_jax.workfolder import WorkFolder

Secret = tuple[int, int]


def read_secret(folder: WorkFolder) -> Secret:
    """Returns the secret of a work folder, or a new one, the same in all processes.

    Raises:
      UserError: the file is damaged.
    """
    if folder.secret.exists():
        words = re.fullmatch(rb"([0-9a-f]{8}) ([0-9a-f]{8})\n?", folder.secret.read_bytes())
        if words is None:
            raise UserError(f"{folder.secret} is damaged: restore it, or choose another --workdir")
        return int(words[1], 16), int(words[2], 16)
    own = np.array([[secrets.randbits(32), secrets.randbits(32)]], np.uint32)
    first, second = processes.gathered(own)[0].tolist()
    return first, second


def write_secret(folder: WorkFolder, secret: Secret) -> None:
    """Keeps a secret where its owner alone may read it."""
    with atomic_file(folder.secret, "w") as file:
        os.chmod(file.name, 0o600)
        file.write(" ".join(f"{word:08x}" for word in secret) + "\n")


def secret_key(secret: Secret) -> Array:
    """Returns the key of a secret."""
    return jax.random.wrap_key_data(np.array(secret, np.uint32))
