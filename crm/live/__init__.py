"""The live stream: what a relay delivers reaches open pages within a second.

`registry.publish_on` says which domain events are told to pages, under which topic and to whom; the relay writes them
to a buffer in Valkey (`buffer`), one stream per organisation, ten minutes deep; the live process (`app`) and the
polling view read it. An event names ids only: the page asks for what it needs, and rights are checked again there.
"""
