"""Right answers that show widgets, and write into one."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import ipywidgets

slider = ipywidgets.IntSlider()
output = ipywidgets.Output()

def double(x):
    display(slider)
    slider.value += 1
    with output:
        print(x)
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    display(output, ipywidgets.HTML("<b>mean</b>"))
    return x.mean()
"""
    cells["essay"].source = """
display(slider, output)
"""
    return notebook
