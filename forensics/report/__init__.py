"""Tables, manifests and reports on disk.

:func:`~forensics.report.render.save_run` writes a run, :func:`~forensics.report.render.render` draws its
reports again from the files alone, :func:`~forensics.runs.frame.manifest.build_manifest` says where its
numbers come from.
"""
