"""Half a character in the text of an error, in a print and in what is shown: no file holds it."""

STOCK = "nothing"  # the scores are stored before writing the notebook fails, which is then missing
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
half = chr(0xDC80)
print(half, chr(0), chr(0xD800))
get_ipython().display_pub.publish({"text/plain": half, "application/json": {half: half}})


def double(x):
    raise ValueError(half + chr(0))
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
