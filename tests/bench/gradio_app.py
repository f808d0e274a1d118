# mypy: disable-error-code="import-not-found, import-untyped"
"""What most teams put in front of a model: a page with a queue. Runs in an environment of its own."""

from __future__ import annotations

import sys

import gradio


def nothing(prompt: str) -> str:
    return prompt


with gradio.Blocks() as page:
    box = gradio.Textbox()
    gradio.Button().click(nothing, inputs=box, outputs=gradio.Textbox(), api_name="render")

if __name__ == "__main__":
    page.queue().launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, share=False)
