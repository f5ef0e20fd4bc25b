"""The patch road: formats become changes, changes become a plan, a plan is applied all or nothing, and undone.

::

    formats/    text in any format  → ParsedPatch       knows no file
    planner.py  ParsedPatch + Tree  → Plan              finds every place, or says why not
    plan.py     Plan                                    for each file the exact content before and after
    apply.py    Plan                → files, receipt    all or nothing, survives a kill at any instant
    engine.py   all of it in one call, as ``patchctl`` uses it
"""
