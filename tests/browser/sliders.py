"""A notebook with each of labkit's widgets, on made-up maps."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

SETUP = """
import numpy as np
import torch

from labkit import widgets

picture = np.full((24, 36, 3), 90, np.uint8)
ramp = torch.linspace(0, 1, 36).expand(24, 36)
mask = np.arange(36) >= np.full((24, 1), 18)


def maps_of(images):
    return images[:, 0, ::2, ::3]


def normalize(maps, how):
    return maps.sigmoid() if how == "sigmoid" else maps.clamp(0, 1)
"""
WIDGETS = {
    "threshold": "widgets.threshold_explorer([picture], [ramp], [mask], ['ramp'])",
    "normalization": """
widgets.normalization_explorer([picture], ramp[None] - 0.5, [mask], ['ramp'], normalize)""",
    "sizes": "widgets.fcn_shape_tracer(200)",
    "transform": """
ways = {'nothing': lambda x: x, 'flip': lambda x: x.flip(-1)}
widgets.equivariance_explorer(maps_of, torch.rand(1, 3, 24, 36), ways, ['noise'])""",
    "class": """
both = torch.stack([ramp, 1 - ramp])
widgets.class_picker(picture, both, torch.tensor([0.7, 0.3]), ['cat', 'dog'])""",
    "fusion": """
maps = {'CAM': {'cat': {'fine': ramp, 'coarse': ramp.flip(-1)}}}
box = widgets.fusion_explorer(picture, maps)
box.children[0].children[2].value = 'weighted sum'
box""",
}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def sliders() -> NotebookNode:
    cells = [
        new_code_cell(SETUP),
        *(new_code_cell(text, id=name) for name, text in WIDGETS.items()),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
