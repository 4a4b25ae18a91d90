"""Texts that become code where they are not escaped: each would set `window.hacked`."""

from __future__ import annotations

TEXTS = (
    '</style></script><img src=x onerror="window.hacked=1">',
    "<script>window.hacked=1</script>",
    "\"><svg onload='window.hacked=1'>",
    "'-(window.hacked=1)-'",
    '<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>',
    "]]><img src=x onerror=window.hacked=1>",
    "<details open ontoggle=window.hacked=1>",
    "</textarea></title></pre><body onpageshow=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}${window.hacked=1}",
    "[a](javascript:window.hacked=1) &lt;img src=x onerror=window.hacked=1&gt;",
)
FOUND = """() => [...document.querySelectorAll('*')].filter((own) => [...own.attributes]
    .some((attribute) => attribute.name.startsWith('on') || attribute.value.trim().startsWith('javascript:')
        || (attribute.name === 'srcdoc' && attribute.value.includes('hacked')))
    || (own.tagName === 'SCRIPT' && own.textContent.trim() === 'window.hacked=1')).map((own) => own.outerHTML)"""
"""What became markup on a page."""
