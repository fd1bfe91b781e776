"""Says on the channel of outputs, with the right signature, two hundred messages which a kernel never says: contents without keys and of wrong types, kinds that are no texts, headers that are lists, numbers of 5000 digits, a hundred thousand brackets."""

STOCK = "nothing"  # of its kernel; whoever reads the messages without care ends with it
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _say():
    kernel = get_ipython().kernel
    session, parent = kernel.session, kernel.get_parent()
    session.check_pid = False
    def raw(header, above, metadata, content):
        parts = [session.sign([header, above, metadata, content]), header, above, metadata, content]
        kernel.iopub_thread.send_multipart([b"status", b"<IDS|MSG>", *parts])
    pack = session.pack
    head = {"msg_id": "x", "msg_type": "status", "username": "", "session": "", "date": "2026-01-01T00:00:00Z", "version": "5.3"}
    contents = [{}, {"execution_state": ["idle"]}, {"name": 5, "text": None}, {"name": "stdout", "text": ["a", 5]},
                {"ename": None, "evalue": 5, "traceback": "x"}, {"ename": "x", "evalue": {}, "traceback": [1, None]},
                {"data": None, "metadata": None, "transient": 5}, {"data": {"text/plain": 5, "image/png": [1]}, "metadata": [], "transient": {"display_id": {}}},
                {"data": {"text/plain": {}}, "metadata": {}, "execution_count": "<b>", "transient": {"display_id": []}},
                {"wait": "x"}, {"comm_id": [], "data": {"method": "update", "state": 5}, "target_name": {}}, {"comm_id": "c", "data": 5}]
    for kind in ("status", "stream", "error", "display_data", "execute_result", "update_display_data", "clear_output",
                 "comm_open", "comm_msg", "comm_close", "execute_input", "input_request", "nothing", None, 7, {"a": 1}, []):
        for content in contents:
            raw(pack(dict(head, msg_type=kind)), pack(parent["header"]), b"{}", pack(content))
    deep = b"[" * 100_000 + b"]" * 100_000
    for odd in (b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", deep, b"1" + b"0" * 5000, b"NaN", b'{"msg_id": {}}', b'{"msg_id": "\\ud800"}', b'{"date": "9999999-99-99T99:99:99Z"}'):
        good = [pack(head), pack(parent["header"]), b"{}", b"{}"]
        for at in range(4):
            raw(*good[:at], odd, *good[at + 1:])
_say()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
