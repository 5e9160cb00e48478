"""The pages of the local run: what can be tried, and the mailbox with its mails as a customer would see them."""

from __future__ import annotations

from html import escape
from typing import Any

Mail = dict[str, Any]

# Nothing from elsewhere is loaded and nothing runs, whatever a mail contains; frames inherit this.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'none'"

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2433 }
h1 { font-size: 1.5rem } summary { cursor: pointer; padding: .6rem 0 } dt { color: #5b6475 }
details { border-top: 1px solid #d7dbe3 } dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }
dd { margin: 0; overflow-wrap: anywhere } iframe { width: 100%; height: 32rem; border: 1px solid #d7dbe3 }
pre { white-space: pre-wrap; background: #f5f6f8; padding: 1rem } time, .quiet { color: #5b6475 }
"""


def mailbox(mails: list[Mail]) -> str:
    """Every mail, newest first, each rendered in a frame of its own that may do nothing but open links."""
    shown = "\n".join(_mail(mail, is_open=place == 0) for place, mail in enumerate(mails))
    return _page("Mailbox", shown or '<p class="quiet">No mail has been sent yet.</p>')


def index(links: dict[str, str]) -> str:
    """A list of what the local run adds to the service: what it is by its method and path."""
    rows = "\n".join(
        f"<dt><code>{escape(where)}</code></dt><dd>{escape(what)}</dd>" for where, what in links.items()
    )
    return _page("Local run", f"<dl>{rows}</dl>")


def _mail(mail: Mail, *, is_open: bool) -> str:
    facts = {
        "From": mail["from"],
        "To": mail["to"],
        "Why": mail["reason"] or "",
        **mail["headers"],
    }
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    text = f"<pre>{escape(mail['text'])}</pre>" if mail["text"] else ""
    return (
        f"<details{' open' if is_open else ''}><summary><strong>{escape(mail['subject'])}</strong> "
        f"<span class=quiet>to {escape(mail['to'])}</span> <time>{escape(mail['sent_at'])}</time></summary>"
        f"<dl>{rows}</dl>{_frame(mail['html'])}"
        f"<details><summary>As text</summary>{text}</details></details>"
    )


def _frame(html: str | None) -> str:
    if not html:
        return ""
    content = escape(f'<base target="_blank">{html}')
    allowed = "allow-popups allow-popups-to-escape-sandbox"
    return f'<iframe title="The mail as it is read" sandbox="{allowed}" srcdoc="{content}"></iframe>'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Kokyaku</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
