"""Forms of the kernel's pages. They read and check what was typed; saving is an action's work."""
