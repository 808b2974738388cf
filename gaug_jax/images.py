"""Placeholder until the real module lands."""
import numpy as np, jax.numpy as jnp
from PIL import Image
def to_unit(images): return images.astype("float32")/127.5-1.0
def to_uint8(x): return jnp.clip(jnp.round((x+1)*127.5),0,255).astype("uint8")
def picture_grid(images, columns, padding=2):
    n,h,w,c=images.shape; r=n//columns
    g=np.full((r*(h+padding)+padding, columns*(w+padding)+padding, c),255,np.uint8)
    for i in range(n):
        y=padding+(i//columns)*(h+padding); x=padding+(i%columns)*(w+padding)
        g[y:y+h,x:x+w]=images[i]
    return g
def write_picture(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.squeeze()).save(path)
def read_picture(path, channels): return np.array(Image.open(path).convert("RGB"))
def write_gif(path, frames, milliseconds):
    f=[Image.fromarray(x) for x in frames]; f[0].save(path, save_all=True, append_images=f[1:], duration=milliseconds, loop=0)
