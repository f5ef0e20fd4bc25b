"""The store: SQL, migrations, feed, records and repositories. It knows no screen and no rule.

Import from the modules (``from storage.store import Store``); this package loads nothing by itself, because
``patchctl`` needs its errors only.
"""
