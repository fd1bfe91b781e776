"""A notebook in JupyterLab, as somebody at the keyboard uses it."""

from typing import Any

from browser.serving import Server

_HERE = "const panel = window.jupyterapp?.shell?.currentWidget, cells = panel?.content?.widgets;"
# JupyterLab makes its cells one by one, those that cannot be seen in idle moments.
_READY = f"""() => {{
  {_HERE}
  return cells?.length > 1 && panel.context.isReady && cells.every(cell => cell.isAttached)
    && !cells.some(cell => cell.isPlaceholder())
    && panel.sessionContext.session?.kernel?.status == 'idle';
}}"""
_CELLS = f"""() => {{
  {_HERE}
  return cells.map(cell => ({{
    id: cell.model.sharedModel.getId(),
    name: cell.model.getMetadata('nbgrader')?.grade_id,
    kind: cell.model.type,
    metadata: cell.model.sharedModel.getMetadata(),
    source: cell.model.sharedModel.getSource(),
    count: cell.model.executionCount ?? null,
    outputs: cell.model.sharedModel.outputs ?? [],
  }}));
}}"""
_FILL = f"""answers => {{
  {_HERE}
  for (const cell of cells) {{
    const name = cell.model.getMetadata('nbgrader')?.grade_id;
    if (name in answers) cell.model.sharedModel.setSource(answers[name]);
  }}
}}"""
_STOPPED = f"""() => {{
  {_HERE}
  const code = cells.filter(cell => cell.model.type == 'code');
  const failed = cell => cell.model.sharedModel.outputs.some(one => one.output_type == 'error');
  return panel.sessionContext.session?.kernel?.status == 'idle'
    && code.every(cell => cell.model.executionState != 'running')
    && (code.at(-1).model.executionCount || code.some(failed));
}}"""

_BYTES = "async image => (new Uint8Array(await (await fetch(image.src)).arrayBuffer())).join()"


class Notebook:
    """The notebook that is open on a page."""

    def __init__(self, page: Any, server: Server, path: str) -> None:
        """Open a notebook of the server's folder, and wait for its cells and its kernel."""
        self.page, self.path = page, server.folder / path
        page.goto(f"{server.address}/lab/tree/{path}?token={server.token}&reset")
        page.wait_for_function(_READY)

    def cells(self) -> list[dict[str, Any]]:
        return self.page.evaluate(_CELLS)

    def cell(self, name: str) -> Any:
        """The cell of a grade_id or an id, on the page."""
        cells = self.cells()
        index = next(i for i, cell in enumerate(cells) if name in (cell["name"], cell["id"]))
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def source(self, name: str) -> str:
        return next(cell["source"] for cell in self.cells() if cell["name"] == name)

    def type_into(self, name: str, text: str) -> None:
        """Click into a cell and type over what is there."""
        cell = self.cell(name)
        cell.scroll_into_view_if_needed()
        if cell.locator(".jp-RenderedMarkdown").is_visible():
            cell.dblclick()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def fill(self, answers: dict[str, str]) -> None:
        """Put texts into cells by their grade_id, as pasting would."""
        self.page.evaluate(_FILL, answers)

    def run_all(self) -> None:
        """Run everything anew by the menu, until the last cell has run, or one has failed."""
        menu(self.page, "Edit", "Clear Outputs of All Cells")
        menu(self.page, "Run", "Restart Kernel and Run All Cells…")
        self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.wait_for_function(_STOPPED)

    def errors(self) -> list[str]:
        """What failed, and what was written to stderr."""
        return [
            f"{output['ename']}: {output['evalue']}" if "ename" in output else output["text"]
            for cell in self.cells()
            for output in cell["outputs"]
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def validate(self) -> str:
        """Press nbgrader's button; what it says."""
        self.page.get_by_role("button", name="Validate").click()
        message = self.page.locator("#validation-message")
        message.wait_for()
        return message.inner_text()

    def close_dialog(self) -> None:
        self.page.locator(".jp-Dialog button").last.click()

    def end(self) -> None:
        """Stop the kernel: the tests after this one need the memory."""
        self.page.evaluate(f"() => {{ {_HERE} return panel.sessionContext.shutdown() }}")


def menu(page: Any, *names: str) -> None:
    """Choose an entry of JupyterLab's menu."""
    page.locator(f'.lm-MenuBar-itemLabel:text-is("{names[0]}")').click()
    for name in names[1:]:
        page.locator(f'.lm-Menu-itemLabel:text-is("{name}")').click()


def move_slider(book: Notebook, name: str) -> None:
    """Move a widget's first slider, until its picture has other bytes."""
    cell = book.cell(name)
    cell.scroll_into_view_if_needed()
    image, handle = cell.locator("img.widget-image"), cell.locator(".noUi-handle").first
    assert image.evaluate("image => image.naturalWidth - image.width") >= 0  # never stretched
    before = image.evaluate(_BYTES)
    at_the_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    for _ in range(5):
        handle.press("ArrowLeft" if at_the_end else "ArrowRight")
    book.page.wait_for_function(
        f"async ([image, before]) => await ({_BYTES})(image) !== before",
        arg=[image.element_handle(), before],
    )
