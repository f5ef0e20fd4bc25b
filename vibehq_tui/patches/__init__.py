"""The patch road: formats become changes, changes become a plan, a plan is applied all or nothing, and undone.

::

    formats/    text in any format  → ParsedPatch       knows no file
    markers/    named places in source files, in the comments of their language
    planning/   ParsedPatch + Tree  → Plan              finds every place, or says why not; merges over a known base
    applying/   Plan                → files, receipt    all or nothing, survives a kill at any instant
    commits/    Plan                → commits           through plumbing, without hooks and configuration
    queue/      the patches of a workspace in the store: reviewed, decided, applied, taken out again

Each knows those above it. ``applying/engine.py`` is all but the queue in one call, as ``patchctl`` uses it.
"""
